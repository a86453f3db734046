"""How deep an image is modulated, and how steep: contrast of fine structure without spots."""

from collections.abc import Iterator

import numpy as np
from scipy.ndimage import maximum_filter, minimum_filter, uniform_filter

from crossres.measure.measured import MeasuredImage
from crossres.measure.registry import Quantity, Value, measurement

LIVELIEST_PART = 0.2
"""Measured in this part of the windows, those in which the target varies most."""

DEPTH = Quantity("modulation_depth", "1", "modulation depth")
SHARPNESS = Quantity("sharpness", "1/px", "sharpness")


@measurement(DEPTH, SHARPNESS, dims=(2,))
def modulation_where_lively(seen: MeasuredImage) -> Iterator[Value]:
    """Measure modulation depth and sharpness where the target varies most."""
    if seen.settings.modulation is not None:
        window_px = seen.settings.modulation.window_px
        for name, value in modulation(seen.image, seen.target, window_px).items():
            yield Value(name, value)


def modulation(image: np.ndarray, target: np.ndarray, window_px: int) -> dict[str, float]:
    """Measure modulation depth and sharpness of an image.

    Parameters
    ----------
    image
        (Y, X) counts whose background is near 0.
    target
        (Y, X); the places are those where it varies most.
    window_px
        Side of the windows, about the distance of neighbouring structures.

    Returns
    -------
    dict
        ``modulation_depth`` is the median over the windows of (max - min) / (max + min), 0 for
        none and 1 where structures stand on black. ``sharpness`` is the root mean square gradient
        over the mean, in 1/px.
    """
    places = _liveliest(target, window_px)
    counts = np.clip(np.asarray(image, dtype=np.float64), 0, None)
    high = maximum_filter(counts, window_px)[places]
    low = minimum_filter(counts, window_px)[places]
    depth = (high - low) / np.maximum(high + low, 1e-12)
    slope = np.sqrt(sum(uniform_filter(g**2, window_px) for g in np.gradient(counts)))
    mean = uniform_filter(counts, window_px)
    sharpness = slope[places] / np.maximum(mean[places], 1e-12)
    return {DEPTH.name: float(np.median(depth)), SHARPNESS.name: float(np.median(sharpness))}


def _liveliest(target: np.ndarray, window_px: int) -> np.ndarray:
    """Return a mask of window centres, side by side, where the target varies most."""
    target = np.asarray(target, dtype=np.float64)
    variance = uniform_filter(target**2, window_px) - uniform_filter(target, window_px) ** 2
    centres = np.zeros(target.shape, dtype=bool)
    half = window_px // 2
    centres[
        half : target.shape[0] - half : window_px, half : target.shape[1] - half : window_px
    ] = 1
    level = np.quantile(variance[centres], 1 - LIVELIEST_PART)
    return np.asarray(centres & (variance >= level))
