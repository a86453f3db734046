"""The constant background of a camera and of out-of-focus light."""

from collections.abc import Iterable

import numpy as np
from scipy.ndimage import uniform_filter

from crossres.jobs import InputError
from crossres.settings import Background, Region


def find_background(image: np.ndarray, region_px: int = 32) -> tuple[float, tuple[int, ...]]:
    """Find the mean of the darkest square region, taken to hold no object.

    Parameters
    ----------
    image
        (..., Y, X) counts. In a volume or time series the region lies in the slice or frame that
        holds the darkest one.
    region_px
        Side of the square; shrunk to the image where that is smaller.

    Returns
    -------
    mean : float
        Background in counts.
    corner : tuple of int
        (..., y, x) of the region's top left pixel.

    References
    ----------
    Wang et al. 2019, Methods: the mean intensity of a region without objects, about 300 of
    65,535. The paper's region is chosen by eye; the darkest one stands in for it here.
    """
    found = []
    for plane in np.ndindex(*image.shape[:-2]):
        mean, corner = _darkest_square(image[plane], region_px)
        found.append((mean, (*plane, *corner)))
    return min(found)


def _darkest_square(image: np.ndarray, region_px: int) -> tuple[float, tuple[int, int]]:
    """Return the mean and the corner (y, x) of the darkest square of an image (Y, X)."""
    side = min(region_px, *image.shape)
    means = uniform_filter(image.astype(np.float64), side, mode="nearest")
    # only windows that lie wholly inside: uniform_filter centres a window of side n on n // 2
    before, after = side // 2, side - 1 - side // 2
    inner = means[before : image.shape[0] - after, before : image.shape[1] - after]
    y, x = np.unravel_index(int(np.argmin(inner)), inner.shape)
    return float(inner[y, x]), (int(y), int(x))


def background_of(images: Iterable[tuple[str, np.ndarray]], settings: Background) -> float:
    """Return a microscope's background: of the darkest region of all images, or of one given.

    Parameters
    ----------
    images
        (name of the field, its (..., Y, X) counts), one after the other.
    settings
        ``preprocess.background``, of method ``find`` or ``region``. A given region applies to all
        slices and frames of its field.

    Raises
    ------
    InputError
        The region's field does not exist, or the region leaves it.
    """
    side, region = settings.region_px, settings.region
    if settings.method == "find":
        return min(find_background(image, side)[0] for _, image in images)
    if region is None:
        raise InputError("preprocess.background.region is missing; give it, or use method: find")
    names = []
    for name, image in images:
        if name == region.field:
            return _mean_of_region(image, region, side)
        names.append(name)
    raise InputError(
        f"preprocess.background.region.field is {region.field!r}; it must be one of the first "
        f"training fields: {', '.join(names)}"
    )


def _mean_of_region(image: np.ndarray, region: Region, side: int) -> float:
    y, x = region.y_px, region.x_px
    height, width = image.shape[-2:]
    if y + side > height or x + side > width:
        raise InputError(
            f"preprocess.background.region: {side} px from ({y}, {x}) leave the field of "
            f"{height} x {width} px; choose another place or a smaller region_px"
        )
    return float(image[..., y : y + side, x : x + side].mean())


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
    less: np.ndarray = np.clip(image.astype(np.float32) - np.float32(background), 0, None)
    return less
