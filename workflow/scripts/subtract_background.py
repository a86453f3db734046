"""Subtract one constant background from every field of a batch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crossres.images import Image, read_image, write_image
from crossres.jobs import InputError, logger, progress
from crossres.preprocess import find_background
from crossres.preprocess import subtract_background as subtract


def subtract_background(
    source: Path,
    reference: Path,
    fields: Sequence[str],
    reference_fields: Sequence[str],
    background: Mapping[str, Any],
    folder: Path,
) -> None:
    """Write every field of a batch less the constant found in the reference batch.

    The constant belongs to the microscope, not to the field: all batches take it from the same
    fields, the first batch of the training split.

    Parameters
    ----------
    source, reference
        Folders of imported fields: this batch, and the one that the constant comes from.
    fields, reference_fields
        Names of the fields in both.
    background
        ``preprocess.background``.
    folder
        Where to.
    """
    constant = background_of(reference, reference_fields, background)
    logger.info("background: %.2f counts", constant)
    for name in progress(fields, "subtracting background"):
        image = read_image(source / f"{name}.ome.tif")
        array = subtract(image.array, constant)
        write_image(folder / f"{name}.ome.tif", Image(array, "YX", image.pixel_size_nm))


def background_of(
    reference: Path, reference_fields: Sequence[str], background: Mapping[str, Any]
) -> float:
    """Return the mean of the region given, or of the darkest region of all reference fields."""
    side = background["region_px"]
    if background["method"] == "find":
        images = (read_image(reference / f"{name}.ome.tif").array for name in reference_fields)
        return min(find_background(image, side)[0] for image in images)
    region = background["region"]
    if region["field"] not in reference_fields:
        raise InputError(
            f"preprocess.background.region.field is {region['field']!r}; it must be one of the "
            f"first training fields: {', '.join(reference_fields)}"
        )
    image = read_image(reference / f"{region['field']}.ome.tif").array
    y, x = region["y_px"], region["x_px"]
    if y + side > image.shape[0] or x + side > image.shape[1]:
        raise InputError(
            f"preprocess.background.region: {side} px from ({y}, {x}) leave the field of "
            f"{image.shape} px; choose another place or a smaller region_px"
        )
    return float(image[y : y + side, x : x + side].mean())


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    run(
        subtract_background,
        job.log[0],
        source=Path(job.input.source),
        reference=Path(job.input.reference),
        fields=job.params.fields,
        reference_fields=job.params.reference_fields,
        background=job.params.background,
        folder=Path(job.output[0]),
    )
