"""Cut the patches that every network of the experiment trains on; validation fields stay whole."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from crossres.images import field_name, fields_in, read_field_table
from crossres.jobs import InputError, logger
from crossres.patches import PER_IMAGE, Preparation, patch_shape, target_noise
from crossres.patches.cutting import draw_all, survey, write_training, write_validation
from crossres.preprocess import Constants
from crossres.settings import Patches, Preprocess


def extract_patches(
    fields: Mapping[str, Sequence[Path]],
    registration: Sequence[Path],
    constants: Constants,
    preprocess: Preprocess,
    settings: Patches,
    outputs: Mapping[str, Path],
) -> None:
    """Write the patches of the training fields, where they were cut, and the validation fields.

    The scale of each modality is taken from all accepted training fields at once and stored with
    the patches; validation and test never touch it. Fields are read one at a time, three times
    over: for the scales, for the positions, and to cut them.

    Parameters
    ----------
    fields
        Paths of registered fields, images or volumes, by split: ``train`` and ``validation``.
    registration
        Registration tables; fields that were not accepted are left out.
    constants
        Pixel sizes and backgrounds: what was done to the raw inputs is kept with the patches, as
        new images need it too.
    preprocess, settings
        ``preprocess`` and ``patches`` of the experiment.
    outputs
        ``train``, ``validation`` (safetensors) and ``positions`` (csv).

    Raises
    ------
    InputError
        A field smaller than a patch, or a split in which no patch shows anything.
    """
    rows_of_fields = pd.concat(map(read_field_table, registration)).set_index("field", drop=False)
    paths = accepted_fields(fields, rows_of_fields, registration[0])
    scales, shapes = survey(paths, settings)
    patch_px, _ = (patch_shape(shapes[split], settings) for split in ("train", "validation"))
    preparation = Preparation(
        scales=scales,
        pixel_size_nm=constants.target.pixel_size_nm,
        percentiles_per_image=settings.percentiles if settings.normalise == PER_IMAGE else None,
        background=constants.input.background,
        input_pixel_size_nm=constants.input.pixel_size_nm,
        interpolation_order=preprocess.interpolation_order,
        z_step_nm=constants.target.z_step_nm,
        noise=target_noise(
            constants.target,
            scales["target"],
            rows_of_fields.loc[[field_name(path) for path in paths["train"]]],
        ),
    )
    whole = list(shapes["validation"].values())
    positions = draw_all(paths["train"], patch_px, preparation, settings)
    write_training(outputs["train"], paths["train"], positions, patch_px, preparation, settings)
    write_validation(outputs["validation"], paths["validation"], whole, preparation, settings)
    columns = [f"{axis}_px" for axis in "zyx"[-len(patch_px) :]]
    rows = [("train", name, *place) for name, found in positions.items() for place in found]
    table = pd.DataFrame(rows, columns=["split", "field", *columns])
    table.to_csv(outputs["positions"], index=False)
    counts = len(table), len(positions), len(paths["validation"])
    logger.info("%d patches of %d fields, %d validation fields", *counts)


def accepted_fields(
    fields: Mapping[str, Sequence[Path]], table: pd.DataFrame, where: Path
) -> dict[str, list[Path]]:
    """Return the paths of accepted fields by split, and refuse a split without any."""
    accepted = set(table.field[table.accepted])
    paths = {s: [p for p in found if field_name(p) in accepted] for s, found in fields.items()}
    for split, found in paths.items():
        if not found:
            raise InputError(
                f"the registration accepted no {split} pair: see the column `reason` of "
                f"{where} and its like; check that input and target show the same field, "
                "or adjust registration.max_shift_nm and min_correlation"
            )
    return paths


if __name__ == "__main__":
    from crossres.jobs import limit_threads, run

    job = snakemake
    limit_threads(job.threads)
    run(
        extract_patches,
        job.log[0],
        fields={split: fields_in(job.input[split]) for split in ("train", "validation")},
        registration=[Path(p) for p in job.input.registration],
        constants=Constants.read(job.input.constants),
        preprocess=Preprocess(**job.params.preprocess),
        settings=Patches(**job.params.settings),
        outputs={name: Path(job.output[name]) for name in ("train", "validation", "positions")},
    )
