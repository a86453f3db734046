"""The main peak of a distribution, as the papers quote it."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

LEAST_VALUES = 8
"""Fewer values than this have no histogram worth fitting."""


@dataclass(frozen=True)
class MainPeak:
    """Centre and standard deviation of the main peak, with the histogram it was fitted to.

    Parameters
    ----------
    centre, sigma, height
        Of the Gaussian, in the unit of the values and in counts a bin.
    edges
        (B + 1,) bin edges.
    counts
        (B,) values in each bin.
    """

    centre: float
    sigma: float
    height: float
    edges: np.ndarray
    counts: np.ndarray


def main_peak(values: np.ndarray) -> MainPeak | None:
    """Fit a 1D Gaussian to the histogram of values within the region of its main peak.

    Bins follow Freedman and Diaconis. The main peak is the part of the smoothed histogram
    around its highest bin that stays above a fifth of it.

    Parameters
    ----------
    values
        Any number of them; NaN are left out.

    Returns
    -------
    MainPeak or None
        None where fewer than eight values remain.

    References
    ----------
    Wang et al. 2019, Methods: the histogram within the main peak region is fitted to a 1D
    Gaussian.
    """
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    if len(values) < LEAST_VALUES:
        return None
    quarter, median, three_quarters = np.percentile(values, [25, 50, 75])
    spread = max(three_quarters - quarter, 1e-6 * max(abs(median), 1e-12))
    # 3 interquartile ranges about the median hold the main peak and spare the bins for it
    low, high = median - 3 * spread, median + 3 * spread
    # of Freedman and Diaconis' width, 2 interquartile ranges over the cube root of their number
    bins = int(np.ceil((high - low) / (2 * spread) * len(values) ** (1 / 3)))
    counts, edges = np.histogram(values, bins=bins, range=(low, high))
    centres = (edges[:-1] + edges[1:]) / 2
    smooth = np.convolve(counts, [0.25, 0.5, 0.25], mode="same")
    top = int(np.argmax(smooth))
    first, last = top, top
    while first > 0 and smooth[first - 1] > smooth[top] / 5:
        first -= 1
    while last < len(counts) - 1 and smooth[last + 1] > smooth[top] / 5:
        last += 1
    x, y = centres[first : last + 1], counts[first : last + 1]

    def residual(p: np.ndarray) -> np.ndarray:
        return np.asarray(p[0] * np.exp(-((x - p[1]) ** 2) / (2 * p[2] ** 2)) - y)

    start = (smooth[top], centres[top], spread / 1.35)
    fit = least_squares(residual, start, method="lm") if len(x) >= 3 else None
    fits = fit is not None and fit.success and low <= fit.x[1] <= high
    height, centre, sigma = fit.x if fits else (start[0], median, start[2])  # type: ignore[union-attr]
    return MainPeak(float(centre), float(abs(sigma)), float(height), edges, counts)
