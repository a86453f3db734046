"""Moving an image by a displacement field, once.

Convention, everywhere in this room: a displacement is what moves ``moving`` onto ``reference``,
in pixels, on the reference's grid. The value shown at p after the warp was at p - d(p) before:
a constant field d = (dy, dx) does what :func:`~crossres.registration.shift.apply_shift` does.
Pixel i has its centre at i.
"""

import numpy as np
from scipy.ndimage import map_coordinates, spline_filter

ROWS_AT_ONCE = 256
PADDING_PX = 12
"""A cubic spline feels its border over fewer pixels than these."""


def warp(image: np.ndarray, displacement: np.ndarray) -> np.ndarray:
    """Move an image by a displacement field, with a cubic spline.

    Pixels that come from outside repeat the border.

    Parameters
    ----------
    image
        (Y, X) or (Z, Y, X); it may be larger or smaller than the field.
    displacement
        (2, Y, X) or (3, Z, Y, X), in pixels.

    Returns
    -------
    ndarray
        float32 of the field's shape.
    """
    # the spline's coefficients know mirrored borders alone, so the border is repeated by hand
    image = np.pad(np.asarray(image, dtype=np.float32), PADDING_PX, mode="edge")
    # the spline's coefficients are found for the whole image, its values block by block: the
    # coordinates in float64 would be the largest thing in memory
    coefficients = spline_filter(image, 3, output=np.float32, mode="mirror")
    shape = displacement.shape[1:]
    result = np.empty(shape, dtype=np.float32)
    for first in range(0, shape[0], ROWS_AT_ONCE):
        rows = slice(first, min(first + ROWS_AT_ONCE, shape[0]))
        grid = np.meshgrid(
            np.arange(rows.start, rows.stop), *map(np.arange, shape[1:]), indexing="ij", sparse=True
        )
        moves = displacement[:, rows]
        places = np.stack([g - d + PADDING_PX for g, d in zip(grid, moves, strict=True)])
        result[rows] = map_coordinates(
            coefficients, places, order=3, mode="nearest", prefilter=False
        )
    return result
