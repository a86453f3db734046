"""Checks of an image before any work is spent on it."""

from collections.abc import Mapping

import numpy as np

from crossres.images.image import Grid, Image
from crossres.jobs import InputError

LARGEST = float(np.finfo(np.float32).max)

POSSIBLE_NM = {"pixel": (0.1, 2e4), "slice": (0.1, 1e6)}
"""Lengths of a pixel and of a z step that a microscope can have; others are in another unit."""

SIZE_TOLERANCE = 0.01
"""Relative difference of two stated lengths that rounding in metadata explains."""


def to_dims(image: Image, dims: int, where: str) -> Image:
    """Return an image with the axes of its experiment; axes of length 1 are dropped.

    A time series keeps its T axis; its frames are separate images or volumes.

    Parameters
    ----------
    image
        As it was read.
    dims
        2 for images, 3 for volumes, as the experiment states.
    where
        The file.

    Returns
    -------
    Image
        ([T,] Y, X), or ([T,] Z, Y, X) for ``dims`` 3.

    Raises
    ------
    InputError
        Several channels, a volume among images, or an image or a time series among volumes.
    """
    sizes = image.sizes
    if set("YX") - set(sizes):
        raise InputError(f"{where}: has axes {image.axes}; expected an image with Y and X")
    longer = {axis: n for axis, n in sizes.items() if n > 1}
    if "C" in longer:
        raise InputError(
            f"{where}: has {sizes['C']} channels (C={sizes['C']}); expected one: save each channel "
            "as a file of its own, with a row of its own in the sheet"
        )
    if dims == 2 and "Z" in longer:
        raise InputError(
            f"{where}: is a volume of {sizes['Z']} slices (Z={sizes['Z']}), in an experiment of "
            "images (dims: 2); save one slice or a projection as an image, or set dims: 3"
        )
    if dims == 3 and "Z" not in longer:
        found = (
            f"a time series of {sizes['T']} frames (T={sizes['T']}) without slices"
            if "T" in longer
            else "a single plane"
        )
        raise InputError(
            f"{where}: is {found}, in an experiment of volumes (dims: 3); save all slices of a "
            "field as one stack with its axis Z named, or set dims: 2"
        )
    axes = "".join(axis for axis in "TZYX" if axis in longer or axis in "YX")
    dropped = tuple(i for i, axis in enumerate(image.axes) if axis not in axes)
    kept = [axis for axis in image.axes if axis in axes]
    array = image.array.squeeze(dropped).transpose([kept.index(axis) for axis in axes])
    return image.like(
        array,
        axes=axes,
        z_step_nm=image.z_step_nm if "Z" in axes else None,
        frame_interval_s=image.frame_interval_s if "T" in axes else None,
    )


def to_plain_type(array: np.ndarray, where: str) -> np.ndarray:
    """Return pixels in a type that OME-TIFF has: no float16, no integers of 64 bits.

    Raises
    ------
    InputError
        Numbers beyond 32 bits.
    """
    if array.dtype == np.float16:
        return array.astype(np.float32)
    if array.dtype.kind not in "iu" or array.dtype.itemsize < 8:
        return array
    low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
    for dtype in (np.int32, np.uint32):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return array.astype(dtype)
    raise InputError(
        f"{where}: holds {array.dtype} values from {low} to {high}; expected counts that fit into "
        "32 bits: export the raw counts again"
    )


def require_signal(array: np.ndarray, where: str) -> None:
    """Refuse an image with NaN or Inf, without numeric pixels, or of one constant value."""
    if array.dtype.kind not in "uif":
        raise InputError(f"{where}: holds {array.dtype} values; expected integers or floats")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        count = int(np.count_nonzero(~np.isfinite(array)))
        raise InputError(f"{where}: holds {count} NaN or Inf pixels; export the raw counts again")
    if array.dtype == np.float64 and array.size and np.abs(array).max() > LARGEST:
        raise InputError(
            f"{where}: holds values up to {np.abs(array).max():.3g}, beyond single precision; "
            "export the raw counts again"
        )
    if array.size == 0 or np.ptp(array) == 0:
        raise InputError(
            f"{where}: is constant ({array.flat[0] if array.size else 'empty'}); check that the "
            "detector was on, and the channel exported"
        )


def agreed_pixel_size(stated: Mapping[str, float | None], where: str) -> float:
    """Return the pixel size that file, sheet and experiment agree on.

    Parameters
    ----------
    stated
        Name of each source, "the file" first, and its value in nm or None.
    where
        The file, with its line in the sheet.

    Raises
    ------
    InputError
        No source states one, or two differ by more than 1 %.
    """
    return _agreed(stated, where, "pixel size", "pixel", "pixel_size_nm")


def agreed_z_step(stated: Mapping[str, float | None], where: str) -> float:
    """Return the z step that all sources agree on; see agreed_pixel_size."""
    return _agreed(stated, where, "z step", "slice", "z_step_nm")


def agreed_grid(stated: Mapping[str, Grid], dims: int, where: str) -> Grid:
    """Return the grid that all sources agree on; the z step counts for ``dims`` 3 only.

    Parameters
    ----------
    stated, where
        As of :func:`agreed_pixel_size`.
    dims
        2 for images, 3 for volumes.
    """
    return Grid(
        agreed_pixel_size({who: grid.pixel_size_nm for who, grid in stated.items()}, where),
        agreed_z_step({who: grid.z_step_nm for who, grid in stated.items()}, where)
        if dims == 3
        else None,
    )


def _agreed(
    stated: Mapping[str, float | None], where: str, what: str, unit: str, column: str
) -> float:
    known = {who: size for who, size in stated.items() if size is not None}
    if not known:
        raise InputError(
            f"{where}: has no {what}, and nothing else states one; add the column input_{column} "
            f"or target_{column} to the sheet"
        )
    low, high = POSSIBLE_NM[unit]
    for who, given in known.items():
        if not low <= given <= high:
            raise InputError(
                f"{where}: {who} says {given:g} nm a {unit}; expected {low:g} to {high:g} nm: "
                "correct it, perhaps it is in another unit"
            )
    (first, size), *others = known.items()
    for who, other in others:
        if abs(other - size) > SIZE_TOLERANCE * size:
            raise InputError(
                f"{where}: {first} says {size:g} nm a {unit}, {who} says {other:g} nm; correct the "
                "wrong one"
            )
    return size
