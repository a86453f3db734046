"""Fitting spots in volumes with 3D Gaussians."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

from crossres.measure.spots import FWHM_PER_SIGMA, WORST_RESIDUAL

WIDTHS = ["sigma_z", "sigma_a", "sigma_b"]
COLUMNS = ["z_px", "y_px", "x_px", *WIDTHS, "peak", "background", "residual"]
FAILED = [np.nan] * len(COLUMNS)


def fit_volume_spots(
    volume: np.ndarray,
    positions: np.ndarray,
    steps_nm: Sequence[float],
    crop_px: Sequence[int],
) -> pd.DataFrame:
    """Fit a 3D Gaussian with one axial and two lateral widths, and a background, to crops.

    The axis of the microscope is the Gaussian's own: its lateral axes may turn in the plane, and
    the axial one stands on it.

    Parameters
    ----------
    volume
        (Z, Y, X) counts.
    positions
        (N, 3) centres in pixels, (z, y, x), rounded to whole pixels for cropping. A crop may lose
        slices at the ends of the stack; where it would leave the volume laterally, the row is not
        ``fitted``.
    steps_nm
        (z step, pixel size, pixel size).
    crop_px
        Odd sides of the crop, (z, y, x).

    Returns
    -------
    DataFrame
        A row per position, in order: ``z_px``, ``y_px``, ``x_px`` (fitted centre in the volume),
        ``fwhm_nm`` (lateral, geometric mean of both widths), ``fwhm_axial_nm``,
        ``fwhm_major_nm``, ``fwhm_minor_nm`` (lateral), ``peak`` (amplitude, counts),
        ``background`` (counts), ``residual`` (rms over amplitude) and ``fitted``. Where the fit
        failed or does not describe a spot, numbers are NaN.
    """
    volume = np.asarray(volume, dtype=np.float64)
    halves = [side // 2 for side in crop_px]
    centres = np.round(np.reshape(positions, (-1, 3))).astype(int)
    rows = [_fit_one(volume, centre, halves) for centre in centres]
    table = pd.DataFrame(rows, columns=COLUMNS, dtype=float)
    z_step_nm, pixel_size_nm, _ = steps_nm
    lateral = table[["sigma_a", "sigma_b"]].to_numpy() * FWHM_PER_SIGMA * pixel_size_nm
    table["fwhm_nm"] = np.sqrt(lateral.prod(axis=1))
    table["fwhm_axial_nm"] = table.sigma_z * FWHM_PER_SIGMA * z_step_nm
    table["fwhm_major_nm"], table["fwhm_minor_nm"] = lateral.max(axis=1), lateral.min(axis=1)
    table["fitted"] = table.fwhm_nm.notna()
    return table.drop(columns=WIDTHS)


def _fit_one(volume: np.ndarray, centre: np.ndarray, halves: Sequence[int]) -> list[float]:
    first, last = centre - halves, centre + halves
    if (first[1:] < 0).any() or (last[1:] >= volume.shape[1:]).any():
        return FAILED
    first[0], last[0] = max(first[0], 0), min(last[0], volume.shape[0] - 1)
    crop = volume[tuple(slice(a, b + 1) for a, b in zip(first, last, strict=True))]
    w, v, u = (
        np.arange(a, b + 1, dtype=float) - c for a, b, c in zip(first, last, centre, strict=True)
    )
    background = float(np.median(crop))
    core = tuple(slice(max(c - a - 1, 0), c - a + 2) for a, c in zip(first, centre, strict=True))
    amplitude = float(crop[core].mean() - background)
    if amplitude <= 0:
        return FAILED
    sigma_z, sigma = _start(crop > background + amplitude / 2, centre - first)

    def model(p: np.ndarray) -> np.ndarray:
        cos, sin = np.cos(p[7]), np.sin(p[7])
        y, x = v[:, None] - p[2], u[None, :] - p[3]
        a, b = y * cos + x * sin, x * cos - y * sin
        lateral = np.exp(-(a**2) / (2 * p[5] ** 2) - b**2 / (2 * p[6] ** 2))
        axial = np.exp(-((w - p[1]) ** 2) / (2 * p[4] ** 2))
        return np.asarray(p[0] * axial[:, None, None] * lateral + p[8])

    fit = least_squares(
        lambda p: (model(p) - crop).ravel() / amplitude,
        (amplitude, 0.0, 0.0, 0.0, sigma_z, sigma, sigma * 1.01, 0.1, background),
        method="lm",
        max_nfev=400,
    )
    height, offset, shift = fit.x[0], fit.x[8], fit.x[1:4]
    widths = np.abs(fit.x[4:7])
    residual = float(np.sqrt(np.mean((model(fit.x) - crop) ** 2)) / max(height, 1e-12))
    sensible = (
        fit.success
        and height > 0
        and (np.abs(shift) <= np.array(halves) / 2).all()
        and widths.min() > 0.4
        and (widths < 2 * np.array(halves)[[0, 1, 1]]).all()
        and residual < WORST_RESIDUAL
    )
    return [*(centre + shift), *widths, height, offset, residual] if sensible else FAILED


def _start(above: np.ndarray, centre: np.ndarray) -> tuple[float, float]:
    """Return axial and lateral sigma to begin with, from the pixels above half the maximum."""
    z, y, x = centre
    axial = np.count_nonzero(above[:, y, x]) / FWHM_PER_SIGMA
    lateral = np.sqrt(np.count_nonzero(above[z]) / np.pi) * 2 / FWHM_PER_SIGMA
    limits = [side // 2 for side in above.shape]
    return (
        float(np.clip(axial, 0.6, max(limits[0], 0.6))),
        float(np.clip(lateral, 0.6, limits[1])),
    )
