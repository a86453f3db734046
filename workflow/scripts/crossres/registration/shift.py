"""Drift between two scans: the peak of their normalised cross-correlation.

Convention: a shift is what moves ``moving`` onto ``reference``, in pixels, (dy, dx): the value
at ``moving[y, x]`` belongs at ``reference[y + dy, x + dx]``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.fft import irfftn, next_fast_len, rfftn
from scipy.ndimage import shift as spline_shift
from scipy.optimize import least_squares

LEAST_OVERLAP = 0.3
"""Shifts that leave less of the images overlapping are not looked at."""

FIT_LEVEL = 0.6
"""The Gaussian is fitted where the correlation exceeds this part of its rise at the peak: near
its top the peak of any two blurred images is Gaussian; on its flanks other structures show."""


@dataclass(frozen=True)
class ShiftEstimate:
    """A shift with what says how far to believe it.

    Parameters
    ----------
    shift_px
        (dy, dx) that moves ``moving`` onto ``reference``.
    correlation
        Normalised cross-correlation at the peak, -1 to 1.
    fitted
        False where no Gaussian fitted and the peak's pixel stands for the peak.
    """

    shift_px: tuple[float, float]
    correlation: float
    fitted: bool


def normalised_cross_correlation(
    reference: np.ndarray, moving: np.ndarray, max_shift_px: int | Sequence[int]
) -> np.ndarray:
    """Return Pearson's correlation of the overlap, for every whole-pixel shift.

    Mean and variance are taken over the overlap of each shift, so that neither the border nor a
    bright object that leaves the field pulls the peak towards zero.

    Parameters
    ----------
    reference, moving
        ([Z, ]Y, X) of one shape.
    max_shift_px
        Largest shift along every axis, or along each.

    Returns
    -------
    ndarray
        2 m + 1 along each axis, with shift 0 at its centre.

    References
    ----------
    Lewis, Fast Normalized Cross-Correlation, 1995; Padfield, IEEE TIP 21, 2706 (2012), eq. 33.
    """
    # removing the overall mean first keeps the running sums small against rounding
    a = np.asarray(reference, dtype=np.float64) - np.mean(reference)
    b = np.asarray(moving, dtype=np.float64) - np.mean(moving)
    reach = np.broadcast_to(max_shift_px, a.ndim)
    sides = np.add(a.shape, reach).tolist()
    padded = tuple(next_fast_len(side, real=True) for side in sides)
    lags = [np.arange(-m, m + 1) % n for m, n in zip(reach, padded, strict=True)]
    ones = rfftn(np.ones(a.shape), padded)

    def correlate(p: np.ndarray, q: np.ndarray) -> np.ndarray:
        product: np.ndarray = irfftn(p * np.conj(q), padded)
        return product[np.ix_(*lags)]

    spectrum_a, spectrum_b = rfftn(a, padded), rfftn(b, padded)
    count = np.round(correlate(ones, ones))
    sum_a, sum_b = correlate(spectrum_a, ones), correlate(ones, spectrum_b)
    square_a = correlate(rfftn(a * a, padded), ones)
    square_b = correlate(ones, rfftn(b * b, padded))
    covariance = correlate(spectrum_a, spectrum_b) - sum_a * sum_b / count
    variance = (square_a - sum_a**2 / count) * (square_b - sum_b**2 / count)
    floor = 1e-12 * float(np.mean(a * a) * np.mean(b * b)) * count**2
    valid = (variance > floor) & (variance > 0)
    return np.where(valid, covariance / np.sqrt(np.where(valid, variance, 1.0)), 0.0)


def locate_correlation_peak(
    reference: np.ndarray, moving: np.ndarray, max_shift_px: int | None = None
) -> ShiftEstimate:
    """Locate the cross-correlation peak by fitting a 2D Gaussian to it.

    Parameters
    ----------
    reference, moving
        (Y, X) of one shape, finite.
    max_shift_px
        Largest shift looked for along an axis; by default as far as 30 % of the shorter side
        overlaps.

    Returns
    -------
    ShiftEstimate
        The peak, its correlation, and whether the Gaussian fitted.

    Raises
    ------
    ValueError
        Shapes differ.

    References
    ----------
    Wang et al. 2019, Methods: drift is calculated from the 2D Gaussian fit of the
    cross-correlation map.
    """
    if reference.shape != moving.shape:
        raise ValueError(f"shapes differ: {reference.shape} and {moving.shape}")
    reach = int((1 - LEAST_OVERLAP) * min(reference.shape)) - 1
    if max_shift_px is not None:
        # two pixels more, so that a peak at the limit still shows both its sides
        reach = min(reach, max_shift_px + 2)
    ncc = normalised_cross_correlation(reference, moving, reach)
    peak = np.unravel_index(int(np.argmax(ncc)), ncc.shape)
    correlation = float(ncc[peak])
    offset, fitted = fit_peak(ncc, (int(peak[0]), int(peak[1])))
    shift = (float(peak[0] - reach + offset[0]), float(peak[1] - reach + offset[1]))
    return ShiftEstimate(shift_px=shift, correlation=correlation, fitted=fitted)


def estimate_shift(
    reference: np.ndarray, moving: np.ndarray, max_shift_px: int | None = None
) -> tuple[float, float]:
    """Return (dy, dx) that moves ``moving`` onto ``reference``.

    See :func:`locate_correlation_peak`, of which this is the shift alone.
    """
    return locate_correlation_peak(reference, moving, max_shift_px).shift_px


def apply_shift(image: np.ndarray, shift_px: tuple[float, float]) -> np.ndarray:
    """Move an image by a fraction of a pixel, once, with a cubic spline.

    Pixels that come from outside repeat the border; crop at least the shift before use.

    Parameters
    ----------
    image
        (Y, X).
    shift_px
        (dy, dx): the value at [y, x] moves to [y + dy, x + dx].

    Returns
    -------
    ndarray
        float32 of the same shape.
    """
    image = np.asarray(image, dtype=np.float32)
    moved: np.ndarray = spline_shift(image, shift_px, order=3, mode="nearest")
    return moved


def fit_peak(ncc: np.ndarray, peak: tuple[int, int]) -> tuple[tuple[float, float], bool]:
    """Fit a 2D Gaussian to the peak of a correlation map.

    Parameters
    ----------
    ncc
        (Y, X) correlation.
    peak
        Its largest value.

    Returns
    -------
    offset : tuple of float
        (dy, dx) of the Gaussian's centre from the largest value; (0, 0) where none fits.
    fitted : bool
        Whether one did.
    """
    height = ncc[peak]
    base = float(np.median(ncc))
    half = 1
    limit = min(peak[0], peak[1], ncc.shape[0] - 1 - peak[0], ncc.shape[1] - 1 - peak[1])
    while half < limit and _rim_mean(ncc, peak, half + 1) > base + FIT_LEVEL * (height - base):
        half += 1
    half = min(max(half, 2), limit)
    if half < 1 or height <= base:
        return (0.0, 0.0), False
    window = ncc[peak[0] - half : peak[0] + half + 1, peak[1] - half : peak[1] + half + 1]
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    inside = y**2 + x**2 <= (half + 0.5) ** 2

    dy, dx, values = y[inside], x[inside], window[inside] - base

    def residual(p: np.ndarray) -> np.ndarray:
        v, u = dy - p[1], dx - p[2]
        left: np.ndarray = p[0] * np.exp(-(p[3] * v**2 + p[4] * u**2 + p[5] * v * u)) - values
        return left

    width = 1 / (2 * half**2)
    fit = least_squares(residual, (height - base, 0.0, 0.0, width, width, 0.0), method="lm")
    if not fit.success or max(abs(fit.x[1]), abs(fit.x[2])) > 1.0:
        return (0.0, 0.0), False
    return (float(fit.x[1]), float(fit.x[2])), True


def _rim_mean(ncc: np.ndarray, peak: tuple[int, int], radius: int) -> float:
    """Mean of the four correlation values at a distance from the peak along the axes."""
    y, x = peak
    return float(
        np.mean([ncc[y - radius, x], ncc[y + radius, x], ncc[y, x - radius], ncc[y, x + radius]])
    )
