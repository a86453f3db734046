"""Lucy-Richardson deconvolution with damping."""

from collections.abc import Iterator

import numpy as np

from crossres.restoration.blur import blur_operators

DAMPING_ORDER = 10
"""White's N: how flat the damping is below its threshold."""


def richardson_lucy(
    image: np.ndarray, psf: np.ndarray, iterations: int, damping: float = 0.0, workers: int = 1
) -> np.ndarray:
    """Deconvolve by Lucy-Richardson, the maximum-likelihood iteration for Poisson noise.

    x <- x * H^T(1 + g (y / Hx - 1)), g = 1 without damping: then the same as scikit-image's
    ``richardson_lucy(clip=False)``, zeros outside the image included.

    Parameters
    ----------
    image
        Not negative, (Y, X) or (Z, Y, X), float32 or float64.
    psf
        Sum 1, odd sides, centred.
    iterations
        1 or more.
    damping
        Threshold as a fraction of the image's maximum, 0 to 1: where |y - Hx| lies below it, the
        correction is damped, so that noise is not sharpened.
    workers
        Threads of the transforms.

    Returns
    -------
    ndarray
        Same shape and dtype, not negative.

    References
    ----------
    Richardson, JOSA 62, 55 (1972); Lucy, Astron. J. 79, 745 (1974). Damping: White, STScI 1994,
    g = u^(N-1) (N - (N-1) u), with u = min(1, ((y - Hx) / T)^2), the form of White's statistic
    for a constant noise level, as Wang 2019 states its threshold in percent (0-10 %).
    """
    *_, last = iterate_richardson_lucy(image, psf, iterations, damping, workers)
    return last


def iterate_richardson_lucy(
    image: np.ndarray, psf: np.ndarray, iterations: int, damping: float = 0.0, workers: int = 1
) -> Iterator[np.ndarray]:
    """Yield the estimate after every iteration; arguments as :func:`richardson_lucy`."""
    image = np.asarray(image)
    dtype = np.dtype(np.float64 if image.dtype == np.float64 else np.float32)
    image = image.astype(dtype, copy=False)
    blur, adjoint = blur_operators(image.shape, psf, dtype, workers)
    tiny = dtype.type(1e-12)
    threshold = dtype.type(damping * float(image.max()))
    estimate = np.full(image.shape, 0.5, dtype=dtype)
    for _ in range(iterations):
        blurred = blur(estimate)
        # transforms round a zero to a small number of either sign
        np.maximum(blurred, tiny, out=blurred)
        ratio = image / blurred
        if threshold > 0:
            ratio = 1 + _damping_factor(image - blurred, threshold) * (ratio - 1)
        estimate = np.maximum(estimate * adjoint(ratio), 0)
        yield estimate


def _damping_factor(residual: np.ndarray, threshold: float) -> np.ndarray:
    u = np.minimum(1, (residual / threshold) ** 2)
    return u ** (DAMPING_ORDER - 1) * (DAMPING_ORDER - (DAMPING_ORDER - 1) * u)
