"""Bring a batch of input fields to the target's pixel size and z step."""

from collections.abc import Sequence
from pathlib import Path

from crossres.images import Grid, read_image, write_image
from crossres.jobs import logger, progress
from crossres.preprocess import Constants, resample


def resample_input(
    source: Path, constants: Path, fields: Sequence[str], order: int, folder: Path
) -> None:
    """Write every field on the target's grid, as float32; frames of a time series one by one.

    Parameters
    ----------
    source
        Folder of the input fields.
    constants
        What find_constants wrote: the grid is that of the training targets, never of a target of
        the blind test.
    fields
        Their names.
    order
        Of the interpolating spline.
    folder
        Where to.
    """
    target = Constants.read(constants).target
    wanted = Grid(target.pixel_size_nm, target.z_step_nm)
    for name in progress(fields, "resampling input"):
        image = read_image(source / f"{name}.ome.tif")
        dims = 3 if "Z" in image.axes else 2
        array = resample(image.array, image.grid.steps_nm(dims), wanted.steps_nm(dims), order)
        # pairs are cropped from this field, wherever it was cut from
        resampled = image.like(
            array,
            pixel_size_nm=wanted.pixel_size_nm,
            z_step_nm=wanted.z_step_nm if dims == 3 else None,
            corner_px=(0, 0),
        )
        write_image(folder / f"{name}.ome.tif", resampled)
    logger.info("wrote %d fields at %.4g nm a pixel", len(fields), target.pixel_size_nm)


if __name__ == "__main__":
    from crossres.jobs import limit_threads, run

    job = snakemake
    limit_threads(job.threads)
    run(
        resample_input,
        job.log[0],
        source=Path(job.input.source),
        constants=Path(job.input.constants),
        fields=job.params.fields,
        order=job.params.order,
        folder=Path(job.output[0]),
    )
