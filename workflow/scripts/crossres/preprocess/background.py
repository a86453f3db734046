"""The constant background of a camera and of out-of-focus light."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.ndimage import uniform_filter

from crossres.jobs import InputError


def find_background(image: np.ndarray, region_px: int = 32) -> tuple[float, tuple[int, int]]:
    """Find the mean of the darkest square region, taken to hold no object.

    Parameters
    ----------
    image
        (Y, X) counts.
    region_px
        Side of the square; shrunk to the image where that is smaller.

    Returns
    -------
    mean : float
        Background in counts.
    corner : tuple of int
        (y, x) of the region's top left pixel.

    References
    ----------
    Wang et al. 2019, Methods: the mean intensity of a region without objects, about 300 of
    65,535. The paper's region is chosen by eye; the darkest one stands in for it here.
    """
    side = min(region_px, *image.shape)
    means = uniform_filter(image.astype(np.float64), side, mode="nearest")
    # only windows that lie wholly inside: uniform_filter centres a window of side n on n // 2
    before, after = side // 2, side - 1 - side // 2
    inner = means[before : image.shape[0] - after, before : image.shape[1] - after]
    y, x = np.unravel_index(int(np.argmin(inner)), inner.shape)
    return float(inner[y, x]), (int(y), int(x))


def background_of(images: Mapping[str, np.ndarray], settings: Mapping[str, Any]) -> float:
    """Return a microscope's background: of the darkest region of all images, or of one given.

    Parameters
    ----------
    images
        (Y, X) counts by the name of their field.
    settings
        ``preprocess.background``, of method ``find`` or ``region``.

    Raises
    ------
    InputError
        The region is of no such field, or leaves it.
    """
    side = settings["region_px"]
    if settings["method"] == "find":
        return min(find_background(image, side)[0] for image in images.values())
    region = settings["region"]
    if region["field"] not in images:
        raise InputError(
            f"preprocess.background.region.field is {region['field']!r}; it must be one of the "
            f"first training fields: {', '.join(images)}"
        )
    image = images[region["field"]]
    y, x = region["y_px"], region["x_px"]
    if y + side > image.shape[0] or x + side > image.shape[1]:
        raise InputError(
            f"preprocess.background.region: {side} px from ({y}, {x}) leave the field of "
            f"{image.shape} px; choose another place or a smaller region_px"
        )
    return float(image[y : y + side, x : x + side].mean())


def subtract_background(image: np.ndarray, background: float) -> np.ndarray:
    """Subtract a constant and clip at 0 (Wang et al. 2019, Methods).

    Parameters
    ----------
    image
        Counts, any shape.
    background
        Constant in counts.

    Returns
    -------
    ndarray
        float32 of the same shape.
    """
    return np.clip(image.astype(np.float32) - np.float32(background), 0, None)
