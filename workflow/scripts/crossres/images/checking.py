"""What an image must be before work is spent on it."""

import numpy as np

from crossres.images.image import Image
from crossres.jobs import InputError

PIXEL_SIZE_TOLERANCE = 0.01
"""Two statements of a pixel size may differ by this fraction, from rounding in metadata."""


def as_plane(image: Image, where: str) -> Image:
    """Return the image with only its Y and X axes.

    Raises
    ------
    InputError
        Any other axis is longer than 1.
    """
    if set("YX") - set(image.axes):
        raise InputError(f"{where}: has axes {image.axes}; expected an image with Y and X")
    extra = {
        axis: n for axis, n in zip(image.axes, image.array.shape, strict=True) if axis not in "YX"
    }
    if any(n > 1 for n in extra.values()):
        found = ", ".join(f"{axis}={n}" for axis, n in extra.items())
        raise InputError(
            f"{where}: has more than one plane ({found}); expected a single 2D image: save one "
            "channel, slice and time point a file"
        )
    plane = image.array.reshape(
        [n for a, n in zip(image.axes, image.array.shape, strict=True) if a in "YX"]
    )
    plane = plane if image.axes.index("Y") < image.axes.index("X") else plane.T
    return Image(plane, "YX", image.pixel_size_nm)


def require_signal(array: np.ndarray, where: str) -> None:
    """Refuse an image that holds NaN or Inf, no numbers, or one value throughout."""
    if array.dtype.kind not in "uif":
        raise InputError(f"{where}: holds {array.dtype} values; expected integers or floats")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        count = int(np.count_nonzero(~np.isfinite(array)))
        raise InputError(f"{where}: holds {count} NaN or Inf pixels; export the raw counts again")
    if array.size == 0 or np.ptp(array) == 0:
        raise InputError(
            f"{where}: is constant ({array.flat[0] if array.size else 'empty'}); check that the "
            "detector was on, and the channel exported"
        )


def agreed_pixel_size(stated: dict[str, float | None], where: str) -> float:
    """Return the pixel size that all who state one agree on.

    Parameters
    ----------
    stated
        Who says so, "the file" first, and what they say, in nm or None.
    where
        The file, with its line in the sheet.

    Raises
    ------
    InputError
        Nobody states one, or two contradict each other by more than 1 %.
    """
    known = {who: size for who, size in stated.items() if size is not None}
    if not known:
        raise InputError(
            f"{where}: has no pixel size, and nothing else states one; add the column "
            "input_pixel_size_nm or target_pixel_size_nm to the sheet"
        )
    (first, size), *others = known.items()
    for who, other in others:
        if abs(other - size) > PIXEL_SIZE_TOLERANCE * size:
            raise InputError(
                f"{where}: {first} says {size:g} nm a pixel, {who} says {other:g} nm; correct the "
                "wrong one"
            )
    return size
