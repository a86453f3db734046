"""Import a batch of raw images of one modality: checked, cut where asked, grid settled."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crossres.images import (
    Grid,
    Image,
    agreed_grid,
    field_window,
    read_image,
    require_signal,
    to_dims,
    to_plain_type,
    write_image,
)
from crossres.jobs import InputError, logger, progress
from crossres.settings import Cut


@dataclass(frozen=True)
class RawField:
    """A field to import.

    Parameters
    ----------
    name, path
        Of the field, and of the file that shows it.
    where
        Its line of the sheet, for messages.
    grid
        Pixel size and z step as the sheet states them, if it does.
    cut_index
        Number of the field in the grid that the image is cut into, or None.
    """

    name: str
    path: str
    where: str
    grid: Grid
    cut_index: int | None


def import_images(
    fields: Sequence[RawField], modality: Grid, cut: Cut | None, dims: int, folder: Path
) -> None:
    """Write <field>.ome.tif for every field; every faulty image is named, not just the first.

    Parameters
    ----------
    fields
        What to import.
    modality
        Pixel size and z step as the experiment states them, if it does.
    cut
        ``source.cut``, or None.
    dims
        2 for images, 3 for volumes; time series of either pass through.
    folder
        Where to.

    Raises
    ------
    InputError
        One sentence for each image that cannot be used.
    """
    faults: list[str] = []
    folder.mkdir(parents=True, exist_ok=True)
    opened: dict[str, Image] = {}
    for field in progress(fields, "importing images"):
        try:
            # fields that are cut from one image follow one another
            if field.path not in opened:
                opened = {field.path: to_dims(read_image(field.path), dims, field.path)}
            image = imported(opened[field.path], field, modality, cut, dims)
        except InputError as fault:
            if str(fault) not in faults:
                faults.append(str(fault))
            continue
        write_image(folder / f"{field.name}.ome.tif", image)
    if faults:
        raise InputError("\n          ".join(faults))
    logger.info("imported %d fields", len(fields))


def imported(whole: Image, field: RawField, modality: Grid, cut: Cut | None, dims: int) -> Image:
    """Return the image of one field, checked, with the grid that all agree on."""
    stated = {
        "the file": whole.grid,
        f"the sheet ({field.where})": field.grid,
        "the experiment's modality": modality,
    }
    grid = agreed_grid(stated, dims, field.path)
    array = to_plain_type(whole.array, field.path)
    require_signal(array, field.path)
    if cut is not None and field.cut_index is not None:
        array = array[..., *field_window(array.shape, cut, field.cut_index)]
        require_signal(array, f"{field.path}, field {field.name}")
    sizes = {"pixel_size_nm": grid.pixel_size_nm, "z_step_nm": grid.z_step_nm}
    return whole.without_place().like(array, **sizes)


if __name__ == "__main__":
    from crossres.jobs import limit_threads, run

    job = snakemake
    limit_threads(job.threads)
    run(
        import_images,
        job.log[0],
        fields=[
            RawField(
                row["name"],
                job.params.places[row["name"]]["path"],
                job.params.places[row["name"]]["where"],
                Grid(row["pixel_size_nm"], row["z_step_nm"]),
                row["cut_index"],
            )
            for row in job.params.fields
        ],
        modality=Grid(job.params.pixel_size_nm, job.params.z_step_nm),
        cut=Cut(**job.params.cut) if job.params.cut else None,
        dims=job.params.dims,
        folder=Path(job.output[0]),
    )
