"""Move the target of each field of a batch onto its input, and say how well that went."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from crossres.images import read_image
from crossres.jobs import logger, progress
from crossres.registration import leave_out, register_pair
from crossres.registration.pair_files import (
    common_size,
    other_grid,
    require_one_frame,
    write_pair,
)
from crossres.registration.placing import Places
from crossres.settings import Registration


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
        reason = other_grid(reference, moving) if match is None else match.reason
        if reason:
            found = leave_out(fixed, reason)
        else:
            if match is None:
                fixed, free = common_size(fixed, free, name)
            found = register_pair(fixed, free, settings, steps_nm, place)
        write_pair(name, found, settings.crop_px, reference, folder, displacements)
        matched = {} if match is None else match.values
        rows.append({"field": name, **found.values, **matched})
    result = pd.DataFrame(rows)
    table.parent.mkdir(parents=True, exist_ok=True)
    result.to_csv(table, index=False)
    logger.info("accepted %d of %d fields", result.accepted.sum(), len(result))


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
