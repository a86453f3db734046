"""Non-negative least squares by projected Landweber iteration."""

from collections.abc import Iterator

import numpy as np
import torch

from crossres.deconvolution.blur import forward_model


def nnls(
    image: np.ndarray,
    psf: np.ndarray,
    iterations: int = 100,
    step: float = 0.5,
    device: torch.device | str = "cpu",
) -> np.ndarray:
    """Minimise |y - Hx|^2 over x >= 0: x <- max(0, x + step * H^T(y - Hx)).

    Starts from the image. Converges for 0 < step < 2, as the PSF's sum of 1 bounds |H| by 1;
    every iterate is projected, not the last one alone.

    Parameters
    ----------
    image
        (Y, X) or (Z, Y, X); float64 is worked on as such, all else as float32.
    psf
        Sum 1, odd sides, centred.
    iterations, step
        100 and 0.5 as published.
    device
        Where to compute.

    Returns
    -------
    ndarray
        Same shape, not negative, float32 or float64.

    References
    ----------
    Landweber, Am. J. Math. 73, 615 (1951); DeconvolutionLab2's NNLS, with the settings of
    Wang et al. 2019, Methods.
    """
    *_, last = iterate_nnls(image, psf, iterations, step, device)
    return last


def iterate_nnls(
    image: np.ndarray,
    psf: np.ndarray,
    iterations: int,
    step: float = 0.5,
    device: torch.device | str = "cpu",
) -> Iterator[np.ndarray]:
    """Yield the estimate after every iteration; arguments as :func:`nnls`."""
    measured, blur, adjoint = forward_model(image, psf, device)
    estimate = measured.clamp(min=0)
    for _ in range(iterations):
        gradient = adjoint(measured - blur(estimate))
        estimate = torch.add(estimate, gradient, alpha=step).clamp_(min=0)
        yield estimate.cpu().numpy()
