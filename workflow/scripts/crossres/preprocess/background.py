"""The constant background of a camera and of out-of-focus light."""

import numpy as np
from scipy.ndimage import uniform_filter


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
