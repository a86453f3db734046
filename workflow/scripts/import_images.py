"""Import a batch of raw images of one modality: checked, cut where asked, pixel size settled."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crossres.images import (
    Image,
    agreed_pixel_size,
    as_plane,
    field_window,
    read_image,
    require_signal,
    write_image,
)
from crossres.jobs import InputError, logger, progress


def import_images(
    fields: Sequence[Mapping[str, Any]],
    modality_pixel_size_nm: float | None,
    cut: Mapping[str, Any] | None,
    folder: Path,
) -> None:
    """Write <field>.ome.tif for every field; every faulty image is named, not just the first.

    Parameters
    ----------
    fields
        ``name``, ``path``, ``pixel_size_nm`` of the sheet or None, ``cut_index`` and ``where``
        (a line of the sheet) of each.
    modality_pixel_size_nm
        As the experiment states it, or None.
    cut
        ``source.cut``, or None.
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
        path = field["path"]
        try:
            if path not in opened:
                opened = {path: as_plane(read_image(path), path)}
            image = opened[path]
            size_nm = agreed_pixel_size(
                {
                    "the file": image.pixel_size_nm,
                    f"the sheet ({field['where']})": field["pixel_size_nm"],
                    "the experiment's modality": modality_pixel_size_nm,
                },
                path,
            )
            array = image.array
            require_signal(array, path)
            if cut is not None:
                array = array[
                    field_window(
                        array.shape,
                        cut["rows"],
                        cut["columns"],
                        cut["guard_px"],
                        field["cut_index"],
                    )
                ]
                require_signal(array, f"{path}, field {field['name']}")
        except InputError as fault:
            if str(fault) not in faults:
                faults.append(str(fault))
            continue
        write_image(folder / f"{field['name']}.ome.tif", Image(array, "YX", size_nm))
    if faults:
        raise InputError("\n          ".join(faults))
    logger.info("imported %d fields", len(fields))


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    run(
        import_images,
        job.log[0],
        fields=job.params.fields,
        modality_pixel_size_nm=job.params.modality_pixel_size_nm,
        cut=job.params.cut,
        folder=Path(job.output[0]),
    )
