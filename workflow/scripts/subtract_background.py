"""Subtract one constant background from every field of a batch."""

from collections.abc import Sequence
from pathlib import Path

from crossres.images import read_image, write_image
from crossres.jobs import InputError, logger, progress
from crossres.preprocess import Constants
from crossres.preprocess import subtract_background as subtract
from crossres.preprocess.constants import Role


def subtract_background(
    source: Path, constants: Path, role: Role, fields: Sequence[str], folder: Path
) -> None:
    """Write every field of a batch less the constant background of its microscope.

    Parameters
    ----------
    source
        Folder of imported fields.
    constants
        What find_constants wrote.
    role
        Whose fields they are.
    fields
        Their names.
    folder
        Where to.

    Raises
    ------
    InputError
        The constants name no background.
    """
    constant = Constants.read(constants).of(role).background
    if constant is None:
        raise InputError(
            f"{constants}: has no background of the {role}; delete the file, so that "
            "find_constants writes it again"
        )
    logger.info("background: %.2f counts", constant)
    for name in progress(fields, "subtracting background"):
        image = read_image(source / f"{name}.ome.tif")
        write_image(folder / f"{name}.ome.tif", image.like(subtract(image.array, constant)))


if __name__ == "__main__":
    from crossres.jobs import limit_threads, run

    job = snakemake
    limit_threads(job.threads)
    run(
        subtract_background,
        job.log[0],
        source=Path(job.input.source),
        constants=Path(job.input.constants),
        role=job.wildcards.role,
        fields=job.params.fields,
        folder=Path(job.output[0]),
    )
