"""Cut the patches that every network of the experiment trains and validates on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crossres.images import read_image
from crossres.jobs import InputError, logger, progress
from crossres.patches import Patches, cut_patches, draw_positions, save_patches
from crossres.preprocess import Scale, scale_from_percentiles


def extract_patches(
    fields: Mapping[str, Sequence[Path]],
    registration: Sequence[Path],
    settings: Mapping[str, Any],
    outputs: Mapping[str, Path],
) -> None:
    """Write the patches of the training and the validation split, and where they were cut.

    The scale of each modality is taken from all accepted training fields at once and stored with
    the patches; validation and test never touch it.

    Parameters
    ----------
    fields
        Paths of registered fields by split, ``train`` and ``validation``.
    registration
        Registration tables; fields that were not accepted are left out.
    settings
        ``patches`` of the experiment.
    outputs
        ``train``, ``validation`` (safetensors) and ``positions`` (csv).

    Raises
    ------
    InputError
        A field smaller than a patch, or a split in which no patch shows anything.
    """
    table = pd.concat(map(pd.read_csv, registration))
    accepted = set(table.field[table.accepted])
    pairs = {
        split: {
            name_of(path): load_pair(path, settings["size_px"])
            for path in progress(paths, f"reading {split} fields")
            if name_of(path) in accepted
        }
        for split, paths in fields.items()
    }
    scales = find_scales(pairs["train"].values(), settings["percentiles"])
    rng = np.random.default_rng(settings["seed"])
    rows = []
    for split, count in (
        ("train", settings["per_field"]),
        ("validation", settings["validation_per_field"]),
    ):
        inputs, targets = [], []
        for name, (source, target) in pairs[split].items():
            normalised = scales["target"].apply(target)
            places = draw_positions(
                normalised,
                settings["size_px"],
                count,
                settings["foreground_level"],
                settings["foreground_fraction"],
                rng,
            )
            inputs.append(cut_patches(scales["input"].apply(source), places, settings["size_px"]))
            targets.append(cut_patches(normalised, places, settings["size_px"]))
            rows += [(split, name, y, x) for y, x in places]
        if sum(map(len, inputs)) == 0:
            raise InputError(
                f"no {split} patch shows anything: none has {settings['foreground_fraction']:g} of "
                f"its pixels above {settings['foreground_level']:g} of the range; lower "
                "patches.foreground_fraction or foreground_level"
            )
        size_nm = pixel_size_of(fields[split][0])
        save_patches(
            outputs[split],
            Patches(np.concatenate(inputs), np.concatenate(targets), scales, size_nm),
        )
        logger.info("%d %s patches of %d fields", sum(map(len, inputs)), split, len(pairs[split]))
    positions = pd.DataFrame(rows, columns=["split", "field", "y_px", "x_px"])
    positions.to_csv(outputs["positions"], index=False)


def pixel_size_of(path: Path) -> float:
    """Return the pixel size of a registered field, in nm."""
    size_nm = read_image(path).pixel_size_nm
    if size_nm is None:
        raise ValueError(f"{path} was registered without a pixel size")
    return size_nm


def name_of(path: Path) -> str:
    """Return the field's name, the file's without .ome.tif."""
    return path.name.removesuffix(".ome.tif")


def load_pair(path: Path, patch_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a registered pair, (Y, X) each, at least as large as a patch."""
    image = read_image(path)
    if min(image.array.shape[1:]) < patch_px:
        raise InputError(
            f"patches.size_px is {patch_px}, but field {name_of(path)} has only "
            f"{image.array.shape[1:]} pixels after registration; make patches smaller or fields "
            "larger"
        )
    return image.channel("input"), image.channel("target")


def find_scales(pairs: Any, percentiles: Sequence[float]) -> dict[str, Scale]:
    """Return the scale of input and target, from the training pixels."""
    sources, targets = zip(*pairs, strict=True)
    scales = {}
    for role, images in (("input", sources), ("target", targets)):
        # every 7th pixel of a large set says as much of a percentile as all of them
        pixels = np.concatenate([image.ravel()[:: 7 if len(images) > 8 else 1] for image in images])
        try:
            scales[role] = scale_from_percentiles(pixels, *percentiles)
        except ValueError as error:
            raise InputError(f"patches.percentiles, {role}: {error}; widen them") from error
    return scales


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    folders = {split: [Path(p) for p in job.input[split]] for split in ("train", "validation")}
    run(
        extract_patches,
        job.log[0],
        fields={
            split: [path for part in parts for path in sorted(part.glob("*.ome.tif"))]
            for split, parts in folders.items()
        },
        registration=[Path(p) for p in job.input.registration],
        settings=job.params.settings,
        outputs={name: Path(job.output[name]) for name in ("train", "validation", "positions")},
    )
