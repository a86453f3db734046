"""Move the target of each field of a batch onto its input, and say how well that went."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from crossres.images import Image, read_image, write_image
from crossres.jobs import InputError, logger, progress
from crossres.registration import (
    FieldMatch,
    RegisteredPair,
    leave_out,
    match_field,
    place_in_field,
    register_pair,
)
from crossres.settings import Registration

MOVES = ("displacement", "correction")
DISPLACEMENT_STEP_PX = 8
"""Displacement fields are smooth: one value in so many pixels is written."""


def register_fields(
    inputs: Path,
    targets: Path,
    within: Path | None,
    cut: Path | None,
    fields: Mapping[str, str | None],
    settings: Registration,
    folder: Path,
    displacements: Path,
    table: Path,
) -> None:
    """Write <field>.ome.tif with the channels input and target, aligned, and a table.

    The target moves onto the input, never the other way: the input of the blind test is
    restored as it was acquired.

    Parameters
    ----------
    inputs
        Folder of the input fields on the target's grid: images or volumes.
    targets
        Folder of the target fields, or of the mosaics that they are part of.
    within
        Folder of the inputs at their own pixel size, or of their mosaics, in which targets are
        to be found; None where both show the same field.
    cut
        Folder of the fields as they were cut from the mosaic; None where they were not.
    fields
        Their names, with the scene that each is part of, or None.
    settings
        ``registration`` of the experiment.
    folder, displacements, table
        Where to: images, what moved them (in pixels and slices of the target: the whole
        displacement, and the correction beyond the place where the target was found), and the
        table.

    Raises
    ------
    InputError
        A pair whose images differ in size by more than a pixel, where both show the same field, or
        that is neither an image nor a volume.
    """
    place_of = Places(within, cut, settings.min_correlation)
    rows = []
    for name, scene in progress(list(fields.items()), "registering fields"):
        reference = read_image(inputs / f"{name}.ome.tif")
        moving = read_image(targets / f"{scene or name}.ome.tif")
        require_one_frame(reference, moving, name)
        steps_nm = reference.grid.steps_nm(len(reference.axes))
        fixed, free = reference.array, moving.array
        match, place = place_of(name, scene, moving, steps_nm[-1])
        if match is None:
            fixed, free = common_size(fixed, free, name)
        if match is not None and match.reason:
            found = leave_out(fixed, match.reason)
        else:
            found = register_pair(fixed, free, settings, steps_nm, place)
        write_pair(name, found, settings.crop_px, reference, folder, displacements)
        matched = {} if match is None else described(match)
        rows.append({"field": name, **found.values, **matched})
    result = pd.DataFrame(rows)
    table.parent.mkdir(parents=True, exist_ok=True)
    result.to_csv(table, index=False)
    logger.info("accepted %d of %d fields", result.accepted.sum(), len(result))


class Places:
    """Where targets lie in their inputs; one match serves all fields of a scene."""

    def __init__(self, within: Path | None, cut: Path | None, min_correlation: float) -> None:
        self.within, self.cut, self.min_correlation = within, cut, min_correlation
        self.of_scene: dict[str, FieldMatch] = {}

    def __call__(
        self, name: str, scene: str | None, target: Image, size_nm: float
    ) -> tuple[FieldMatch | None, tuple[np.ndarray, np.ndarray] | None]:
        """Return the match of a field, and its place as register_pair takes it."""
        if self.within is None:
            return None, None
        whole = read_image(self.within / f"{scene or name}.ome.tif")
        corner = read_image(self.cut / f"{name}.ome.tif").corner_px if self.cut else (0, 0)
        key = scene or name
        if key not in self.of_scene:
            ratio = whole.known_pixel_size_nm / target.known_pixel_size_nm
            match = match_field(whole.array, target.array, ratio, self.min_correlation)
            self.of_scene = {key: match}
            logger.info(
                "%s: ratio %.4f, rotation %.3f degrees, correlation %.2f; %s",
                key,
                match.ratio,
                match.rotation_degree,
                match.correlation,
                match.reason or "found",
            )
        match = self.of_scene[key]
        return match, place_in_field(match, corner, whole.known_pixel_size_nm / size_nm)


def described(match: FieldMatch) -> dict[str, float]:
    """Return the columns of the table that say how the target was found."""
    return {
        "match_ratio": match.ratio,
        "match_rotation_degree": match.rotation_degree,
        "match_correlation": match.correlation,
    }


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


def require_one_frame(reference: Image, moving: Image, name: str) -> None:
    """Refuse a pair that is neither two images nor two volumes."""
    for role, image in (("input", reference), ("target", moving)):
        if image.axes not in ("YX", "ZYX") or image.axes != reference.axes:
            raise InputError(
                f"field {name}: the {role} has axes {image.axes} and the input {reference.axes}; "
                "expected two images (YX) or two volumes (ZYX): save each frame of a time series "
                "as a field"
            )


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


if __name__ == "__main__":
    from crossres.jobs import limit_threads, run

    job = snakemake
    limit_threads(job.threads)
    run(
        register_fields,
        job.log[0],
        inputs=Path(job.input.inputs),
        targets=Path(job.input.targets),
        within=Path(job.input.within) if "within" in job.input.keys() else None,  # noqa: SIM118
        cut=Path(job.input.cut) if "cut" in job.input.keys() else None,  # noqa: SIM118
        fields=job.params.fields,
        settings=Registration(**job.params.settings),
        folder=Path(job.output.fields),
        displacements=Path(job.output.displacements),
        table=Path(job.output.table),
    )
