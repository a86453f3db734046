"""Searching the parameters at which a classical method is best on the validation split."""

import numpy as np

from crossres.catalogue.classical import Classical
from crossres.deconvolution.baseline import iterate_baseline


def correlation(image: np.ndarray, target: np.ndarray) -> float:
    """Return Pearson's r of two images of one shape; 0 where one is constant.

    After the scale and offset of least squares that :func:`crossres.measure.compare` applies,
    mse = var(target) (1 - r^2): the highest r is the lowest MSE and the highest PSNR.
    """
    x = image.astype(np.float64) - image.mean(dtype=np.float64)
    y = target.astype(np.float64) - target.mean(dtype=np.float64)
    norm = float(np.sqrt(np.vdot(x, x) * np.vdot(y, y)))
    return float(np.vdot(x, y)) / norm if norm > 0 else 0.0


def search(
    method: str,
    settings: Classical,
    image: np.ndarray,
    target: np.ndarray,
    psf: np.ndarray,
    background: str,
) -> np.ndarray:
    """Return r between a deconvolved field and its target over the whole grid of parameters.

    Parameters
    ----------
    method, psf, background
        As of :func:`crossres.deconvolution.iterate_baseline`.
    settings
        The grid: values of the parameter, and the number of iterations.
    image, target
        (Y, X) or (Z, Y, X) counts on one grid.

    Returns
    -------
    ndarray
        (values, iterations).
    """
    return np.array(
        [
            [
                correlation(estimate, target)
                for estimate in iterate_baseline(
                    method, image, psf, settings.max_iterations, value, background
                )
            ]
            for value in settings.values
        ]
    )
