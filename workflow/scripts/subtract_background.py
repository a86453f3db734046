"""Subtract one constant background from every field of a batch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crossres.images import Image, read_image, write_image
from crossres.jobs import logger, progress
from crossres.preprocess import background_of
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
    first = {name: read_image(reference / f"{name}.ome.tif").array for name in reference_fields}
    constant = background_of(first, background)
    logger.info("background: %.2f counts", constant)
    for name in progress(fields, "subtracting background"):
        image = read_image(source / f"{name}.ome.tif")
        array = subtract(image.array, constant)
        write_image(folder / f"{name}.ome.tif", Image(array, "YX", image.pixel_size_nm))


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
