"""Resampling to another pixel size and another z step."""

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import affine_transform


def resample(
    image: np.ndarray,
    steps_nm: float | Sequence[float],
    new_steps_nm: float | Sequence[float],
    order: int = 1,
) -> np.ndarray:
    """Resample (..., Y, X) or (Z, Y, X) to other steps; the image's edges stay in place.

    Half-pixel convention along every axis: pixel i covers [i, i + 1) steps, so that new pixel j,
    centred at (j + 0.5) * new step, lies at (j + 0.5) * new / old - 0.5 in old pixels. Slice k
    likewise covers [k, k + 1) z steps. Beyond the outermost centres the border value is repeated.

    Parameters
    ----------
    image
        The last axes, one per step, are resampled; leading axes are looped over.
    steps_nm, new_steps_nm
        Steps before and after, of any ratio: (y, x) or (z, y, x); a single number is the pixel
        size along both y and x.
    order
        Order of the spline: 1 is linear, as published, 3 cubic.

    Returns
    -------
    ndarray
        float32; an axis of n pixels has round(n * old / new).

    References
    ----------
    Wang et al. 2019, Methods: linear interpolation to the pixel size of the target.
    """
    image = np.asarray(image, dtype=np.float32)
    old, new = (np.array([s, s] if np.ndim(s) == 0 else s) for s in (steps_nm, new_steps_nm))
    if np.array_equal(old, new):
        return image
    ratio = new / old
    leading, own = image.shape[: -len(ratio)], image.shape[-len(ratio) :]
    shape = tuple(round(n / r) for n, r in zip(own, ratio, strict=True))
    resampled = np.empty((*leading, *shape), dtype=np.float32)
    for frame in np.ndindex(*leading):
        affine_transform(
            image[frame],
            ratio,
            0.5 * ratio - 0.5,
            output_shape=shape,
            output=resampled[frame],
            order=order,
            mode="nearest",
        )
    return resampled
