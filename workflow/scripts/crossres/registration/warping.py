"""Moving an image by a displacement field, once.

Convention, everywhere in this room: a displacement is what moves ``moving`` onto ``reference``,
in pixels, on the reference's grid. The value shown at p after the warp was at p - d(p) before:
a constant field d = (dy, dx) does what :func:`~crossres.registration.shift.apply_shift` does.
Pixel i has its centre at i.
"""

import numpy as np
import torch
import torch.nn.functional as F
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


def sample(images: torch.Tensor, y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return images at fractional places, by bicubic interpolation.

    Bicubic convolution is exact enough only well below the Nyquist frequency: oversample first.

    Parameters
    ----------
    images
        (N, 1, H, W).
    y, x
        (N, h, w) places, in pixels of the images.

    Returns
    -------
    Tensor
        (N, h, w); the border is repeated beyond it.
    """
    height, width = images.shape[-2:]
    y, x = _undistorted(y), _undistorted(x)
    # grid_sample without align_corners: -1 and 1 are the outer edges of the outermost pixels
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=-1)
    return F.grid_sample(images, grid, mode="bicubic", padding_mode="border", align_corners=False)[
        :, 0
    ]


def _undistorted(places: torch.Tensor) -> torch.Tensor:
    """Return where to ask torch for values so that they are those of the places wanted.

    torch's kernel (Keys, a = -0.75) does not reproduce a ramp: half a pixel plus t beyond a pixel
    it returns the ramp's value at half a pixel plus (3 t + 4 t^3) / 4, up to 0.048 px off. The
    inverse of that cubic is sinh(asinh(4 u) / 3); this polynomial is it to 0.00014 px, exact at
    whole and half pixels, in a fraction of the time.
    """
    u = places - torch.floor(places) - 0.5
    square = u * u
    change = (-46.20951 * square).add_(25.08847).mul_(square).sub_(6.13361)
    change.mul_(square).add_(1.32153)
    return places + change.mul_(0.25 - square).mul_(u)
