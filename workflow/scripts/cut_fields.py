"""Cut every stitched input of a batch into a grid of fields about its centre."""

from collections.abc import Mapping
from pathlib import Path

from crossres.images import Image, centred_grid, read_image, write_image
from crossres.jobs import InputError, logger, progress


def cut_fields(
    mosaics: Path, fields: Mapping[str, str], reference: Path, grid: Mapping[str, int], folder: Path
) -> None:
    """Write every field, with its place in the mosaic.

    The grid depends on the input alone, never on where the target lies: what is restored must not
    depend on its answer. Where a target does not reach is found out by the registration.

    Parameters
    ----------
    mosaics
        Folder of the stitched inputs.
    fields
        Scene of each field, scene by scene and row by row.
    reference
        A target image of the training split, for the pixel size that the grid is counted in.
    grid
        ``source.stitch.fields``.
    folder
        Where to.
    """
    target_nm = read_image(reference).known_pixel_size_nm
    for scene in progress(list(dict.fromkeys(fields.values())), "cutting scenes"):
        image = read_image(mosaics / f"{scene}.ome.tif")
        size_nm = image.known_pixel_size_nm
        side_px = round(grid["size_px"] * target_nm / size_nm)
        try:
            windows = centred_grid(image.array.shape, grid["rows"], grid["columns"], side_px)
        except InputError as error:
            raise InputError(f"scene {scene}: {error}") from error
        names = [name for name, of in fields.items() if of == scene]
        for name, (rows, columns) in zip(names, windows, strict=True):
            corner = (rows.start, columns.start)
            field = Image(image.array[rows, columns], "YX", size_nm, corner_px=corner)
            write_image(folder / f"{name}.ome.tif", field)
    logger.info("cut %d fields", len(fields))


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    run(
        cut_fields,
        job.log[0],
        mosaics=Path(job.input.mosaics),
        fields=job.params.fields,
        reference=Path(job.input.reference) / f"{job.params.reference_fields[0]}.ome.tif",
        grid=job.params.grid,
        folder=Path(job.output[0]),
    )
