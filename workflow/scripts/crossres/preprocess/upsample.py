"""Resampling to another pixel size."""

import numpy as np
from scipy.ndimage import affine_transform


def resample(
    image: np.ndarray, pixel_size_nm: float, new_pixel_size_nm: float, order: int = 1
) -> np.ndarray:
    """Resample a 2D image to another pixel size, its edges staying where they are.

    Half-pixel convention: pixel i covers [i, i + 1) pixel sizes, so that new pixel j, centred at
    (j + 0.5) * new size, lies at (j + 0.5) * new / old - 0.5 in old pixels. Beyond the outermost
    centres the border value is repeated.

    Parameters
    ----------
    image
        (Y, X).
    pixel_size_nm, new_pixel_size_nm
        Pixel sizes before and after; any ratio.
    order
        Order of the spline: 1 is linear, as published, 3 cubic.

    Returns
    -------
    ndarray
        float32, (round(Y * old / new), round(X * old / new)).

    References
    ----------
    Wang et al. 2019, Methods: linear interpolation to the pixel size of the target.
    """
    image = np.asarray(image, dtype=np.float32)
    if pixel_size_nm == new_pixel_size_nm:
        return image
    step = new_pixel_size_nm / pixel_size_nm
    shape = tuple(round(n / step) for n in image.shape)
    offset = 0.5 * step - 0.5
    return affine_transform(
        image, np.full(2, step), offset, output_shape=shape, order=order, mode="nearest"
    )
