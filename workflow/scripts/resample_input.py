"""Bring a batch of input fields to the target's pixel size."""

from collections.abc import Sequence
from pathlib import Path

from crossres.images import Image, read_image, write_image
from crossres.jobs import logger, progress
from crossres.preprocess import resample


def upsample_input(
    source: Path, fields: Sequence[str], reference: Path, order: int, folder: Path
) -> None:
    """Write every field at the target's pixel size, as float32.

    The pixel size wanted is read from a target of the training split, never from one of the
    blind test: what is restored must not depend on its answer.

    Parameters
    ----------
    source
        Folder of the input fields.
    fields
        Their names.
    reference
        A target image of the training split.
    order
        Of the interpolating spline.
    folder
        Where to.
    """
    wanted_nm = read_image(reference).known_pixel_size_nm
    for name in progress(fields, "upsampling input"):
        image = read_image(source / f"{name}.ome.tif")
        array = resample(image.array, image.known_pixel_size_nm, wanted_nm, order)
        write_image(folder / f"{name}.ome.tif", Image(array, "YX", wanted_nm))
    logger.info("wrote %d fields at %.4g nm a pixel", len(fields), wanted_nm)


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    run(
        upsample_input,
        job.log[0],
        source=Path(job.input.source),
        fields=job.params.fields,
        reference=Path(job.input.reference) / f"{job.params.reference_fields[0]}.ome.tif",
        order=job.params.order,
        folder=Path(job.output[0]),
    )
