"""Cut the patches that every network of the experiment trains on; validation fields stay whole."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crossres.images import field_name, fields_in, read_field_table, read_image
from crossres.jobs import InputError, logger, progress
from crossres.patches import Patches, cut_patches, draw_positions, save_patches
from crossres.preprocess import Scale, background_of, scale_from_percentiles

PER_IMAGE = "percentiles_per_image"


def extract_patches(
    fields: Mapping[str, Sequence[Path]],
    registration: Sequence[Path],
    raw: Path,
    raw_fields: Sequence[str],
    preprocess: Mapping[str, Any],
    settings: Mapping[str, Any],
    outputs: Mapping[str, Path],
) -> None:
    """Write the patches of the training fields, where they were cut, and the validation fields.

    The scale of each modality is taken from all accepted training fields at once and stored with
    the patches; validation and test never touch it.

    Parameters
    ----------
    fields
        Paths of registered fields by split, ``train`` and ``validation``.
    registration
        Registration tables; fields that were not accepted are left out.
    raw
        Folder of the imported inputs of the first training batch, before anything was done to
        them: what was done is kept with the patches, as new images need it too.
    raw_fields
        Their names.
    preprocess, settings
        ``preprocess`` and ``patches`` of the experiment.
    outputs
        ``train``, ``validation`` (safetensors) and ``positions`` (csv).

    Raises
    ------
    InputError
        A field smaller than a patch, or a split in which no patch shows anything.
    """
    table = pd.concat(map(read_field_table, registration))
    accepted = set(table.field[table.accepted])
    pairs = {
        split: {
            field_name(path): load_pair(path, settings["size_px"])
            for path in progress(paths, f"reading {split} fields")
            if field_name(path) in accepted
        }
        for split, paths in fields.items()
    }
    for split, accepted_pairs in pairs.items():
        if not accepted_pairs:
            raise InputError(
                f"the registration accepted no {split} pair: see the column `reason` of "
                f"{registration[0]} and its like; check that input and target show the same field, "
                "or adjust registration.max_shift_nm and min_correlation"
            )
    scales = {
        role: find_scale([pair[place] for pair in pairs["train"].values()], role, settings)
        for place, role in enumerate(("input", "target"))
    }
    size_nm = read_image(fields["train"][0]).known_pixel_size_nm
    own = tuple(settings["percentiles"]) if settings["normalise"] == PER_IMAGE else None
    done = done_before(raw, raw_fields, preprocess)

    def save(split: str, inputs: Any, targets: Any) -> None:
        save_patches(outputs[split], Patches(inputs, targets, scales, size_nm, own, **done))

    rng = np.random.default_rng(settings["seed"])
    normalised = normalise(pairs["train"], scales, settings)
    places = {
        name: draw_positions(
            target,
            settings["size_px"],
            settings["per_field"],
            settings["foreground_level"],
            settings["foreground_fraction"],
            rng,
        )
        for name, (_, target) in normalised.items()
    }
    if sum(map(len, places.values())) == 0:
        raise InputError(
            f"no train patch shows anything: none has {settings['foreground_fraction']:g} of "
            f"its pixels above {settings['foreground_level']:g} of the range; lower "
            "patches.foreground_fraction or foreground_level"
        )
    inputs, targets = (
        np.concatenate(
            [cut_patches(pair[i], places[n], settings["size_px"]) for n, pair in normalised.items()]
        )
        for i in (0, 1)
    )
    save("train", inputs, targets)
    whole = normalise(pairs["validation"], scales, settings).values()
    save("validation", [pair[0] for pair in whole], [pair[1] for pair in whole])
    logger.info(
        "%d patches of %d fields, %d validation fields", len(inputs), len(places), len(whole)
    )
    rows = [("train", name, y, x) for name, found in places.items() for y, x in found]
    positions = pd.DataFrame(rows, columns=["split", "field", "y_px", "x_px"])
    positions.to_csv(outputs["positions"], index=False)


def done_before(
    raw: Path, raw_fields: Sequence[str], preprocess: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what was done to the raw inputs, by the names that :class:`Patches` has for it."""
    images = {name: read_image(raw / f"{name}.ome.tif") for name in raw_fields}
    arrays = {name: image.array for name, image in images.items()}
    background = preprocess["background"]
    return {
        "background": None if background["method"] == "none" else background_of(arrays, background),
        "input_pixel_size_nm": images[raw_fields[0]].known_pixel_size_nm,
        "interpolation_order": preprocess["interpolation_order"],
    }


def normalise(
    pairs: Mapping[str, tuple[np.ndarray, np.ndarray]],
    scales: Mapping[str, Scale],
    settings: Mapping[str, Any],
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return normalised pairs by field, by the common scales or each image's own."""
    found = {}
    for name, (source, target) in pairs.items():
        own = image_scales(name, source, target, settings) or scales
        found[name] = own["input"].apply(source), own["target"].apply(target)
    return found


def load_pair(path: Path, patch_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a registered pair, (Y, X) each, at least as large as a patch."""
    image = read_image(path)
    if min(image.array.shape[1:]) < patch_px:
        raise InputError(
            f"patches.size_px is {patch_px}, but field {field_name(path)} has only "
            f"{image.array.shape[1:]} pixels after registration; make patches smaller or fields "
            "larger"
        )
    return image.channel("input"), image.channel("target")


def image_scales(
    name: str, source: np.ndarray, target: np.ndarray, settings: Mapping[str, Any]
) -> dict[str, Scale] | None:
    """Return the scales of one pair by its own percentiles, None where all share one."""
    if settings["normalise"] != PER_IMAGE:
        return None
    return {
        role: find_scale([image], f"{role} of field {name}", settings)
        for role, image in (("input", source), ("target", target))
    }


def find_scale(images: Sequence[np.ndarray], role: str, settings: Mapping[str, Any]) -> Scale:
    """Return the scale of one modality, from the pixels of some fields."""
    pixels = np.concatenate([image.ravel() for image in images])
    bounds = (0, 100) if settings["normalise"] == "full_range" else settings["percentiles"]
    try:
        return scale_from_percentiles(pixels, *bounds)
    except ValueError as error:
        raise InputError(f"patches.percentiles, {role}: {error}; widen them") from error


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    run(
        extract_patches,
        job.log[0],
        fields={split: fields_in(job.input[split]) for split in ("train", "validation")},
        registration=[Path(p) for p in job.input.registration],
        raw=Path(job.input.raw),
        raw_fields=job.params.raw_fields,
        preprocess=job.params.preprocess,
        settings=job.params.settings,
        outputs={name: Path(job.output[name]) for name in ("train", "validation", "positions")},
    )
