"""Non-negative least squares by projected Landweber iteration."""

from collections.abc import Iterator

import numpy as np

from crossres.restoration.blur import blur_operators


def nnls(
    image: np.ndarray,
    psf: np.ndarray,
    iterations: int = 100,
    step: float = 0.5,
    workers: int = 1,
) -> np.ndarray:
    """Minimise |y - Hx|^2 over x >= 0: x <- max(0, x + step * H^T(y - Hx)).

    Starts from the image. Converges for 0 < step < 2, as the PSF's sum of 1 bounds |H| by 1;
    every iterate is projected, not the last one alone.

    Parameters
    ----------
    image
        (Y, X) or (Z, Y, X), float32 or float64.
    psf
        Sum 1, odd sides, centred.
    iterations, step
        100 and 0.5 as published.
    workers
        Threads of the transforms.

    Returns
    -------
    ndarray
        Same shape and dtype, not negative.

    References
    ----------
    Landweber, Am. J. Math. 73, 615 (1951); DeconvolutionLab2's NNLS, with the settings of
    Wang et al. 2019, Methods.
    """
    *_, last = iterate_nnls(image, psf, iterations, step, workers)
    return last


def iterate_nnls(
    image: np.ndarray, psf: np.ndarray, iterations: int, step: float = 0.5, workers: int = 1
) -> Iterator[np.ndarray]:
    """Yield the estimate after every iteration; arguments as :func:`nnls`."""
    image = np.asarray(image)
    dtype = np.dtype(np.float64 if image.dtype == np.float64 else np.float32)
    image = image.astype(dtype, copy=False)
    blur, adjoint = blur_operators(image.shape, psf, dtype, workers)
    estimate = np.maximum(image, 0)
    for _ in range(iterations):
        estimate = np.maximum(estimate + dtype.type(step) * adjoint(image - blur(estimate)), 0)
        yield estimate
