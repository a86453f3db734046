"""Restore the blind-test fields with a trained network; it sees inputs and a model, no more."""

from collections.abc import Sequence
from pathlib import Path

from crossres.images import Image, fields_in, read_image, write_image
from crossres.jobs import InputError, logger, progress
from crossres.networks import choose_device, load_model
from crossres.restoration import restore

PIXEL_SIZE_TOLERANCE = 0.01


def restore_fields(
    model: Path, fields: Sequence[Path], device: str, threads: int, folder: Path
) -> None:
    """Write <field>.ome.tif of every input, restored, in the counts of the target.

    Parameters
    ----------
    model
        model.safetensors.
    fields
        Input images at the target's pixel size.
    device, threads
        Where to compute.
    folder
        Where to.

    Raises
    ------
    InputError
        An image whose pixel size is not the one the model was trained at.
    """
    chosen = choose_device(device, threads)
    network, about = load_model(model)
    for path in progress(fields, f"restoring with {about.network}"):
        image = read_image(path)
        size_nm = image.known_pixel_size_nm
        if abs(size_nm - about.pixel_size_nm) > PIXEL_SIZE_TOLERANCE * about.pixel_size_nm:
            raise InputError(
                f"{path}: has pixels of {size_nm:g} nm, the model was trained at "
                f"{about.pixel_size_nm:g} nm; resample the image to that first"
            )
        before, after = about.scales_of(image.array)
        restored = after.invert(restore(network, before.apply(image.array), device=chosen))
        write_image(folder / path.name, Image(restored, image.axes, size_nm))
    logger.info("restored %d fields", len(fields))


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    run(
        restore_fields,
        job.log[0],
        model=Path(job.input.model),
        fields=fields_in(job.input.fields),
        device=job.resources.device,
        threads=job.threads,
        folder=Path(job.output[0]),
    )
