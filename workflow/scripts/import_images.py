"""Import a batch of raw images of one modality: checked, cut where asked, grid settled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossres.images import (
    Grid,
    Image,
    agreed_pixel_size,
    agreed_z_step,
    field_window,
    read_image,
    require_signal,
    to_dims,
    write_image,
)
from crossres.images.image import Plane
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
    pixel_size_nm, z_step_nm
        As the sheet states them, or None.
    cut_index
        Number of the field in the grid that the image is cut into, or None.
    """

    name: str
    path: str
    where: str
    pixel_size_nm: float | None
    z_step_nm: float | None
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
            image = imported(opened[field.path], field, modality, cut)
        except InputError as fault:
            if str(fault) not in faults:
                faults.append(str(fault))
            continue
        write_image(folder / f"{field.name}.ome.tif", image)
    if faults:
        raise InputError("\n          ".join(faults))
    logger.info("imported %d fields", len(fields))


def imported(whole: Image, field: RawField, modality: Grid, cut: Cut | None) -> Image:
    """Return the image of one field, checked, with the grid that all agree on."""
    pixel_size_nm = agreed_pixel_size(
        {
            "the file": whole.pixel_size_nm,
            f"the sheet ({field.where})": field.pixel_size_nm,
            "the experiment's modality": modality.pixel_size_nm,
        },
        field.path,
    )
    z_step_nm = None
    if "Z" in whole.axes:
        z_step_nm = agreed_z_step(
            {
                "the file": whole.z_step_nm,
                f"the sheet ({field.where})": field.z_step_nm,
                "the experiment's modality": modality.z_step_nm,
            },
            field.path,
        )
    array = whole.array
    require_signal(array, field.path)
    if cut is not None and field.cut_index is not None:
        array = array[..., *field_window(array.shape, cut, field.cut_index)]
        require_signal(array, f"{field.path}, field {field.name}")
    return whole.like(
        array,
        pixel_size_nm=pixel_size_nm,
        z_step_nm=z_step_nm,
        # where the stage stood is no place in a field
        corner_px=(0, 0),
        planes=without_positions(whole.planes),
    )


def without_positions(
    planes: Mapping[Plane, Mapping[str, str]],
) -> dict[Plane, dict[str, str]]:
    """Return what a file says of single planes, all but the positions of the stage."""
    rest = {
        number: {key: text for key, text in said.items() if not key.startswith("Position")}
        for number, said in planes.items()
    }
    return {number: said for number, said in rest.items() if said}


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
                job.params.paths[row["name"]],
                row["where"],
                row["pixel_size_nm"],
                row["z_step_nm"],
                row["cut_index"],
            )
            for row in job.params.fields
        ],
        modality=Grid(job.params.pixel_size_nm, job.params.z_step_nm),
        cut=Cut(**job.params.cut) if job.params.cut else None,
        dims=job.params.dims,
        folder=Path(job.output[0]),
    )
