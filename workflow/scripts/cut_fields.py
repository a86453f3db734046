"""Cut every stitched input of a batch into a grid of fields about its centre."""

from collections.abc import Mapping
from pathlib import Path

from crossres.images import centred_grid, read_image, write_image
from crossres.jobs import InputError, logger, progress
from crossres.preprocess import Constants
from crossres.settings import FieldGrid


def cut_fields(
    mosaics: Path, constants: Path, fields: Mapping[str, str], grid: FieldGrid, folder: Path
) -> None:
    """Write every field, with its place in the mosaic.

    The grid depends on the input alone, never on where the target lies: what is restored must not
    depend on its answer. Where a target does not reach is found out by the registration.

    Parameters
    ----------
    mosaics
        Folder of the stitched inputs.
    constants
        What find_constants wrote, for the target's pixel size that the grid is counted in.
    fields
        Scene of each field, scene by scene and row by row.
    grid
        ``source.stitch.fields``.
    folder
        Where to.

    Raises
    ------
    InputError
        The grid is larger than a mosaic.
    """
    target_nm = Constants.read(constants).target.pixel_size_nm
    for scene in progress(list(dict.fromkeys(fields.values())), "cutting scenes"):
        image = read_image(mosaics / f"{scene}.ome.tif")
        side_px = round(grid.size_px * target_nm / image.known_pixel_size_nm)
        try:
            windows = centred_grid(image.array.shape, grid.rows, grid.columns, side_px)
        except InputError as error:
            raise InputError(f"scene {scene}: {error}") from error
        names = [name for name, of in fields.items() if of == scene]
        for name, window in zip(names, windows, strict=True):
            corner = (window[0].start, window[1].start)
            field = image.like(image.array[..., *window], corner_px=corner)
            write_image(folder / f"{name}.ome.tif", field)
    logger.info("cut %d fields", len(fields))


if __name__ == "__main__":
    from crossres.jobs import limit_threads, run

    job = snakemake
    limit_threads(job.threads)
    run(
        cut_fields,
        job.log[0],
        mosaics=Path(job.input.mosaics),
        constants=Path(job.input.constants),
        fields=job.params.fields,
        grid=FieldGrid(**job.params.grid),
        folder=Path(job.output[0]),
    )
