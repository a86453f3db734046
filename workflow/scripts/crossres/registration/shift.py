"""Drift between two scans: the peak of their normalised cross-correlation.

Convention: a shift is what moves ``moving`` onto ``reference``, in pixels, (dy, dx): the value
at ``moving[y, x]`` belongs at ``reference[y + dy, x + dx]``.
"""

from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft2, next_fast_len, rfft2
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
    reference: np.ndarray, moving: np.ndarray, max_shift_px: int
) -> np.ndarray:
    """Return Pearson's correlation of the overlap, for every whole-pixel shift.

    Mean and variance are taken over the overlap of each shift, so that neither the border nor a
    bright object that leaves the field pulls the peak towards zero.

    Parameters
    ----------
    reference, moving
        (Y, X) of one shape.
    max_shift_px
        Largest shift along an axis.

    Returns
    -------
    ndarray
        (2 m + 1, 2 m + 1) with shift (0, 0) at its centre.

    References
    ----------
    Lewis, Fast Normalized Cross-Correlation, 1995; Padfield, IEEE TIP 21, 2706 (2012), eq. 33.
    """
    # removing the overall mean first keeps the running sums small against rounding
    a = np.asarray(reference, dtype=np.float64) - np.mean(reference)
    b = np.asarray(moving, dtype=np.float64) - np.mean(moving)
    padded = tuple(next_fast_len(n + max_shift_px, real=True) for n in a.shape)
    ones = rfft2(np.ones(a.shape), padded)

    def correlate(p: np.ndarray, q: np.ndarray) -> np.ndarray:
        full = irfft2(p * np.conj(q), padded)
        lag = np.arange(-max_shift_px, max_shift_px + 1)
        return full[np.ix_(lag % padded[0], lag % padded[1])]

    spectrum_a, spectrum_b = rfft2(a, padded), rfft2(b, padded)
    count = np.round(correlate(ones, ones))
    sum_a, sum_b = correlate(spectrum_a, ones), correlate(ones, spectrum_b)
    square_a = correlate(rfft2(a * a, padded), ones)
    square_b = correlate(ones, rfft2(b * b, padded))
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
    offset, fitted = _fit_gaussian(ncc, (int(peak[0]), int(peak[1])))
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
    return spline_shift(np.asarray(image, dtype=np.float32), shift_px, order=3, mode="nearest")


def _fit_gaussian(ncc: np.ndarray, peak: tuple[int, int]) -> tuple[tuple[float, float], bool]:
    """Return the peak's offset from its brightest pixel, (0, 0) where no Gaussian fits."""
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
        return p[0] * np.exp(-(p[3] * v**2 + p[4] * u**2 + p[5] * v * u)) - values

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
