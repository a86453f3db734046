"""How deep an image is modulated, and how steep: contrast of fine structure without spots."""

import numpy as np
from scipy.ndimage import maximum_filter, minimum_filter, uniform_filter

LIVELIEST_PART = 0.2
"""Measured in this part of the windows, those in which the target varies most."""


def modulation(
    images: dict[str, np.ndarray], target: np.ndarray, window_px: int
) -> list[tuple[str, str, float]]:
    """Measure modulation depth and sharpness at the same places in every method's image.

    Parameters
    ----------
    images
        (Y, X) by method, counts whose background is near 0.
    target
        (Y, X); the places are those where it varies most.
    window_px
        Side of the windows, about the distance of neighbouring structures.

    Returns
    -------
    list
        (method, metric, value). ``modulation_depth`` is the median over the windows of
        (max - min) / (max + min), 0 for none and 1 where structures stand on black.
        ``sharpness`` is the root mean square gradient over the mean, in 1/px.
    """
    places = _liveliest(target, window_px)
    found = []
    for method, image in images.items():
        counts = np.clip(np.asarray(image, dtype=np.float64), 0, None)
        high, low = (
            maximum_filter(counts, window_px)[places],
            minimum_filter(counts, window_px)[places],
        )
        depth = (high - low) / np.maximum(high + low, 1e-12)
        slope = np.sqrt(sum(uniform_filter(g**2, window_px) for g in np.gradient(counts)))
        mean = uniform_filter(counts, window_px)
        sharpness = slope[places] / np.maximum(mean[places], 1e-12)
        found.append((method, "modulation_depth", float(np.median(depth))))
        found.append((method, "sharpness", float(np.median(sharpness))))
    return found


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
    return centres & (variance >= level)
