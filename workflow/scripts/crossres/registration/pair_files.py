"""The two images of a field as registration takes them, and as it leaves them."""

from pathlib import Path

import numpy as np

from crossres.images import SIZE_TOLERANCE, Image, write_image
from crossres.jobs import InputError
from crossres.registration.registered import RegisteredPair

MOVES = ("displacement", "correction")
DISPLACEMENT_STEP_PX = 8
"""Displacement fields are smooth: one value in so many pixels is written."""


def require_one_frame(reference: Image, moving: Image, name: str) -> None:
    """Refuse a pair that is neither two images nor two volumes."""
    for role, image in (("input", reference), ("target", moving)):
        if image.axes not in ("YX", "ZYX") or image.axes != reference.axes:
            raise InputError(
                f"field {name}: the {role} has axes {image.axes} and the input {reference.axes}; "
                "expected two images (YX) or two volumes (ZYX): save each frame of a time series "
                "as a field"
            )


def other_grid(reference: Image, moving: Image) -> str:
    """Return why a target cannot show the same field pixel by pixel: its grid is another one.

    Parameters
    ----------
    reference
        The input, on the grid of the training targets.
    moving
        The target as it was imported.

    Returns
    -------
    str
        Empty where both grids are the same, but for what rounding in metadata explains.
    """
    lengths = [("pixel", reference.known_pixel_size_nm, moving.known_pixel_size_nm)]
    if reference.z_step_nm is not None and moving.z_step_nm is not None:
        lengths.append(("slice", reference.z_step_nm, moving.z_step_nm))
    for unit, wanted_nm, given_nm in lengths:
        if abs(given_nm - wanted_nm) > SIZE_TOLERANCE * wanted_nm:
            return (
                f"the target has {given_nm:g} nm a {unit}, the first training target "
                f"{wanted_nm:g} nm: correct the wrong one"
            )
    return ""


def common_size(fixed: np.ndarray, free: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Crop a pair to its common size, which rounding may have put one pixel apart."""
    if np.abs(np.subtract(fixed.shape, free.shape)).max() > 1:
        raise InputError(
            f"field {name}: the input covers {fixed.shape} pixels of the target's size, the target "
            f"{free.shape}; check both pixel sizes{' and z steps' if fixed.ndim == 3 else ''}, "
            "give images of the same field of view, or set registration.locate where the target "
            "shows a part of the input"
        )
    part = tuple(slice(n) for n in np.minimum(fixed.shape, free.shape))
    return fixed[part], free[part].astype(np.float32)


def write_pair(
    name: str,
    found: RegisteredPair,
    crop_px: int,
    reference: Image,
    folder: Path,
    displacements: Path,
) -> None:
    """Crop a registered pair on every side, and write it with what moved it.

    Parameters
    ----------
    name
        Of the field.
    found
        The pair.
    crop_px
        In y and x; a volume keeps all of its slices.
    reference
        The input, on the pair's grid.
    folder, displacements
        Where to: the pair, and the displacement averaged over squares of its pixels.
    """
    height, width = found.pair.shape[-2:]
    if min(height, width) <= 2 * crop_px:
        raise InputError(
            f"field {name}: registration.crop_px is {crop_px}, which leaves nothing of its "
            f"{height} x {width} pixels; crop less"
        )
    size_nm, z_step_nm = reference.known_pixel_size_nm, reference.z_step_nm
    axes = f"C{reference.axes}"
    inner = np.s_[..., crop_px : height - crop_px, crop_px : width - crop_px]
    corner = (found.corner_px[0] + crop_px, found.corner_px[1] + crop_px)
    roles = ("input", "target")
    pair = Image(found.pair[inner], axes, size_nm, z_step_nm, roles, corner)
    write_image(folder / f"{name}.ome.tif", pair)
    step = DISPLACEMENT_STEP_PX
    rows, columns = (n // step for n in pair.array.shape[-2:])
    moves = np.concatenate([found.displacement[inner], found.correction[inner]])
    cells = moves[..., : rows * step, : columns * step]
    cells = cells.reshape(*cells.shape[:-2], rows, step, columns, step).mean(axis=(-3, -1))
    parts = tuple(f"{of}_{axis.lower()}" for of in MOVES for axis in axes[1:])
    field = Image(cells.astype(np.float32), axes, size_nm * step, z_step_nm, parts)
    write_image(displacements / f"{name}.ome.tif", field)
