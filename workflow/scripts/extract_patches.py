"""Cut the patches that every network of the experiment trains on; validation fields stay whole."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from crossres.images import field_name, fields_in, read_field_table, read_image
from crossres.jobs import InputError, logger, progress
from crossres.patches import (
    PER_IMAGE,
    ROLES,
    Pair,
    Preparation,
    common_scale,
    cut_patches,
    draw_positions,
    normalised_pair,
    patch_shape,
    patches_to_fill,
    tensor_name,
)
from crossres.preprocess import Constants, PixelQuantiles, Scale
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
    paths = accepted_fields(fields, registration)
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
    fields: Mapping[str, Sequence[Path]], registration: Sequence[Path]
) -> dict[str, list[Path]]:
    """Return the paths of accepted fields by split, and refuse a split without any."""
    table = pd.concat(map(read_field_table, registration))
    accepted = set(table.field[table.accepted])
    paths = {s: [p for p in found if field_name(p) in accepted] for s, found in fields.items()}
    for split, found in paths.items():
        if not found:
            raise InputError(
                f"the registration accepted no {split} pair: see the column `reason` of "
                f"{registration[0]} and its like; check that input and target show the same field, "
                "or adjust registration.max_shift_nm and min_correlation"
            )
    return paths


def survey(
    paths: Mapping[str, Sequence[Path]], settings: Patches
) -> tuple[dict[str, Scale], dict[str, dict[str, tuple[int, ...]]]]:
    """Return the scales, of the training fields alone, and the shape of every field, by split."""
    pixels = {role: PixelQuantiles() for role in ROLES}
    shapes: dict[str, dict[str, tuple[int, ...]]] = {split: {} for split in paths}
    for split, found in paths.items():
        for path in progress(found, f"reading {split} fields"):
            pair = load_pair(path)
            shapes[split][field_name(path)] = pair[0].shape
            if split == "train":
                for role, image in zip(ROLES, pair, strict=True):
                    pixels[role].add(image)
    return {role: common_scale(pixels[role], role, settings) for role in ROLES}, shapes


def load_pair(path: Path) -> Pair:
    """Return a registered pair, ([Z, ]Y, X) each."""
    image = read_image(path)
    return image.channel("input"), image.channel("target")


def draw_all(
    paths: Sequence[Path], patch_px: tuple[int, ...], preparation: Preparation, settings: Patches
) -> dict[str, np.ndarray]:
    """Return the positions of the patches of all training fields, by the field's name."""
    rng = np.random.default_rng(settings.seed)
    positions = {}
    for path in progress(paths, "drawing positions"):
        name = field_name(path)
        _, target = normalised_pair(name, load_pair(path), preparation.scales, settings)
        positions[name] = draw_positions(
            target,
            patch_px,
            settings.per_field,
            settings.foreground_level,
            settings.foreground_fraction,
            rng,
        )
    if not any(map(len, positions.values())):
        raise InputError(
            f"no train patch shows anything: none has {settings.foreground_fraction:g} of "
            f"its pixels above {settings.foreground_level:g} of the range; lower "
            "patches.foreground_fraction or foreground_level"
        )
    return positions


def write_training(
    path: Path,
    paths: Sequence[Path],
    positions: Mapping[str, np.ndarray],
    patch_px: tuple[int, ...],
    preparation: Preparation,
    settings: Patches,
) -> None:
    """Write the patches field by field, in the order of the fields."""
    shape = (sum(map(len, positions.values())), *patch_px)
    with patches_to_fill(path, dict.fromkeys(ROLES, shape), preparation) as append:
        for field in progress(paths, "cutting patches"):
            name = field_name(field)
            pair = normalised_pair(name, load_pair(field), preparation.scales, settings)
            for role, image in zip(ROLES, pair, strict=True):
                append(role, cut_patches(image, positions[name], patch_px))


def write_validation(
    path: Path,
    paths: Sequence[Path],
    shapes: Sequence[tuple[int, ...]],
    preparation: Preparation,
    settings: Patches,
) -> None:
    """Write the validation fields whole, one after the other."""
    tensors = {tensor_name(r, n): shape for n, shape in enumerate(shapes) for r in ROLES}
    with patches_to_fill(path, tensors, preparation) as append:
        for number, field in enumerate(progress(paths, "writing validation fields")):
            pair = load_pair(field)
            pair = normalised_pair(field_name(field), pair, preparation.scales, settings)
            for role, image in zip(ROLES, pair, strict=True):
                append(tensor_name(role, number), image)


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
