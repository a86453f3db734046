"""Finding spots in images and volumes, and fitting those of images with 2D Gaussians."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter, gaussian_laplace, maximum_filter
from scipy.optimize import least_squares
from scipy.spatial import cKDTree

FWHM_PER_SIGMA = 2 * np.sqrt(2 * np.log(2))
WORST_RESIDUAL = 0.5
"""Root mean square residual over amplitude beyond which a fit does not describe a spot."""


def find_spots(
    image: np.ndarray,
    spot_fwhm_px: float | Sequence[float] | np.ndarray,
    threshold_sigma: float = 6.0,
    border_px: int = 0,
) -> np.ndarray:
    """Find bright spots of about a known width.

    Local maxima of the negative Laplacian of Gaussian at the spots' scale, above
    ``threshold_sigma`` robust standard deviations (1.4826 times the median absolute deviation)
    of its own background.

    Parameters
    ----------
    image
        (Y, X) or (Z, Y, X).
    spot_fwhm_px
        Expected full width at half maximum, in pixels: one for all axes, or one for each.
    threshold_sigma
        Detection threshold.
    border_px
        Spots closer than this to the border are left out.

    Returns
    -------
    ndarray
        (N, 2) or (N, 3) int, ([z,] y, x), brightest response first.
    """
    sigmas = np.maximum(np.broadcast_to(spot_fwhm_px, image.ndim) / FWHM_PER_SIGMA, 0.7)
    response = _blobs(np.asarray(image, dtype=np.float64), sigmas)
    # the truncated kernel does not sum to 0: an even background has a response too
    response -= np.median(response)
    spread = 1.4826 * np.median(np.abs(response))
    if spread == 0:
        # an image clipped at 0 is constant over most of its area
        spread = float(np.std(response))
    size = [2 * max(1, round(sigma)) + 1 for sigma in sigmas]
    # without noise there is no spread, and rounding would make spots of that background
    least = max(threshold_sigma * spread, 1e-9 * float(np.abs(image).max()))
    peak = (response == maximum_filter(response, size)) & (response > least)
    found = np.argwhere(peak)
    if border_px > 0 and len(found):
        limit = np.asarray(image.shape) - border_px
        found = found[((found >= border_px) & (found < limit)).all(axis=1)]
    return found[np.argsort(-response[tuple(found.T)], kind="stable")]


def _blobs(image: np.ndarray, sigmas: np.ndarray) -> np.ndarray:
    """Return the negative Laplacian of Gaussian, lengths in units of the spots' widths."""
    if len(set(sigmas)) == 1:
        curvature: np.ndarray = gaussian_laplace(image, sigmas[0])
        return -curvature
    orders = np.eye(image.ndim, dtype=int) * 2
    curvatures = [
        sigma**2 * gaussian_filter(image, sigmas, order=order)
        for sigma, order in zip(sigmas, orders, strict=True)
    ]
    return np.asarray(-np.sum(curvatures, axis=0))


def isolated(positions: np.ndarray, distance: float) -> np.ndarray:
    """Return a mask of the (N, 2) or (N, 3) positions that have no other within a distance.

    Both in one unit: where pixels are not cubes, in nm.
    """
    if len(positions) < 2:
        return np.ones(len(positions), dtype=bool)
    nearest, _ = cKDTree(positions).query(positions, k=2)
    return np.asarray(nearest[:, 1] > distance)


def fit_spots(
    image: np.ndarray, positions: np.ndarray, pixel_size_nm: float, crop_px: int = 19
) -> pd.DataFrame:
    """Fit a 2D Gaussian with its own two widths, angle and background to crops of an image.

    Parameters
    ----------
    image
        (Y, X) counts.
    positions
        (N, 2) centres in pixels, (y, x), rounded to whole pixels for cropping; positions whose
        crop would leave the image give a row that is not ``fitted``.
    pixel_size_nm
        Pixel size.
    crop_px
        Side of the square crop, odd; 19 pixels of 30 nm as published.

    Returns
    -------
    DataFrame
        A row per position, in order: ``y_px``, ``x_px`` (fitted centre in the image),
        ``fwhm_nm`` (geometric mean of both widths), ``fwhm_major_nm``, ``fwhm_minor_nm``,
        ``peak`` (amplitude, counts), ``background`` (counts), ``residual`` (rms over amplitude)
        and ``fitted``. Where the fit failed or does not describe a spot, numbers are NaN.

    References
    ----------
    Wang et al. 2019, Methods: 19 x 19 crops at the same places in input, output and target.
    """
    image = np.asarray(image, dtype=np.float64)
    half = crop_px // 2
    rows = (
        [_fit_one(image, y, x, half) for y, x in np.round(np.atleast_2d(positions)).astype(int)]
        if len(positions)
        else []
    )
    table = pd.DataFrame(
        rows,
        columns=["y_px", "x_px", "sigma_a", "sigma_b", "peak", "background", "residual"],
        dtype=float,
    )
    widths = table[["sigma_a", "sigma_b"]].to_numpy() * FWHM_PER_SIGMA * pixel_size_nm
    table["fwhm_nm"] = np.sqrt(widths.prod(axis=1))
    table["fwhm_major_nm"], table["fwhm_minor_nm"] = widths.max(axis=1), widths.min(axis=1)
    table["fitted"] = table.fwhm_nm.notna()
    return table.drop(columns=["sigma_a", "sigma_b"])


def _fit_one(image: np.ndarray, y: int, x: int, half: int) -> list[float]:
    failed = [np.nan] * 7
    if min(y, x) < half or y + half >= image.shape[0] or x + half >= image.shape[1]:
        return failed
    crop = image[y - half : y + half + 1, x - half : x + half + 1]
    v, u = np.mgrid[-half : half + 1, -half : half + 1].astype(float)
    background = float(np.median(crop))
    amplitude = float(crop[half - 1 : half + 2, half - 1 : half + 2].mean() - background)
    if amplitude <= 0:
        return failed
    # the width at half maximum, from the number of pixels above it, starts the fit
    above = np.count_nonzero(crop > background + amplitude / 2)
    sigma = np.clip(np.sqrt(above / np.pi) * 2 / FWHM_PER_SIGMA, 0.6, half)

    def model(p: np.ndarray) -> np.ndarray:
        cos, sin = np.cos(p[5]), np.sin(p[5])
        a, b = (v - p[1]) * cos + (u - p[2]) * sin, (u - p[2]) * cos - (v - p[1]) * sin
        spot: np.ndarray = p[0] * np.exp(-(a**2) / (2 * p[3] ** 2) - b**2 / (2 * p[4] ** 2)) + p[6]
        return spot

    fit = least_squares(
        lambda p: (model(p) - crop).ravel() / amplitude,
        (amplitude, 0.0, 0.0, sigma, sigma * 1.01, 0.1, background),
        method="lm",
        max_nfev=300,
    )
    height, dy, dx, sigma_a, sigma_b, _, offset = fit.x
    sigma_a, sigma_b = abs(sigma_a), abs(sigma_b)
    residual = float(np.sqrt(np.mean((model(fit.x) - crop) ** 2)) / max(height, 1e-12))
    sensible = (
        fit.success
        and height > 0
        and max(abs(dy), abs(dx)) <= half / 2
        and min(sigma_a, sigma_b) > 0.4
        and max(sigma_a, sigma_b) < 2 * half
        and residual < WORST_RESIDUAL
    )
    return [y + dy, x + dx, sigma_a, sigma_b, height, offset, residual] if sensible else failed
