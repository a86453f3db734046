"""Lucy-Richardson deconvolution with damping."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from crossres.deconvolution.blur import forward_model

DAMPING_ORDER = 10
"""White's N: how flat the damping is below its threshold."""


def richardson_lucy(
    image: np.ndarray,
    psf: np.ndarray,
    iterations: int,
    damping: float = 0.0,
    device: torch.device | str = "cpu",
) -> np.ndarray:
    """Deconvolve by Lucy-Richardson, the maximum-likelihood iteration for Poisson noise.

    x <- x * H^T(1 + g (y / Hx - 1)), g = 1 without damping: then the same as scikit-image's
    ``richardson_lucy(clip=False)``, zeros outside the image included.

    Parameters
    ----------
    image
        Not negative, (Y, X) or (Z, Y, X); float64 is worked on as such, all else as float32.
    psf
        Sum 1, odd sides, centred, of as many dimensions.
    iterations
        1 or more.
    damping
        Threshold as a fraction of the image's maximum, 0 to 1: where |y - Hx| lies below it, the
        correction is damped, so that noise is not sharpened.
    device
        Where to compute.

    Returns
    -------
    ndarray
        Same shape, not negative, float32 or float64.

    References
    ----------
    Richardson, JOSA 62, 55 (1972); Lucy, Astron. J. 79, 745 (1974). Damping: White, STScI 1994,
    g = u^(N-1) (N - (N-1) u), with u = min(1, ((y - Hx) / T)^2), the form of White's statistic
    for a constant noise level, as Wang 2019 states its threshold in percent (0-10 %).
    """
    *_, last = iterate_richardson_lucy(image, psf, iterations, damping, device)
    return last


def iterate_richardson_lucy(
    image: np.ndarray,
    psf: np.ndarray,
    iterations: int,
    damping: float = 0.0,
    device: torch.device | str = "cpu",
) -> Iterator[np.ndarray]:
    """Yield the estimate after every iteration; arguments as :func:`richardson_lucy`."""
    measured, blur, adjoint = forward_model(image, psf, device)
    threshold = damping * float(measured.max())
    estimate = torch.full_like(measured, 0.5)
    for _ in range(iterations):
        # transforms round a zero to a small number of either sign
        blurred = blur(estimate).clamp_(min=1e-12)
        ratio = measured / blurred
        if threshold > 0:
            ratio = 1 + _damping_factor(measured - blurred, threshold) * (ratio - 1)
        estimate = (estimate * adjoint(ratio)).clamp_(min=0)
        yield estimate.cpu().numpy()


def _damping_factor(residual: Tensor, threshold: float) -> Tensor:
    u = (residual / threshold).square_().clamp_(max=1)
    return u ** (DAMPING_ORDER - 1) * (DAMPING_ORDER - (DAMPING_ORDER - 1) * u)
