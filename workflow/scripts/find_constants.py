"""Find what one channel's images have in common: pixel sizes, z steps and backgrounds."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from crossres.images import read_image
from crossres.jobs import logger, progress
from crossres.preprocess import (
    Constants,
    NoiseLine,
    NoNoiseLine,
    RoleConstants,
    background_of,
    noise_line,
)
from crossres.settings import Background


def find_constants(
    folders: Mapping[str, Path],
    names: Mapping[str, Sequence[str]],
    background: Background,
    path: Path,
) -> None:
    """Write the constants of both microscopes, as the first batch of training fields shows them.

    They belong to the microscope, not to the field: all batches take them from here, and what is
    done to a field of the blind test does not depend on its answer.

    Parameters
    ----------
    folders
        Imported fields of the first training batch, by ``input`` and ``target``.
    names
        Names of the images in each.
    background
        ``preprocess.background``.
    path
        The JSON file to write.
    """
    found = {}
    for role, folder in folders.items():
        files = {name: folder / f"{name}.ome.tif" for name in names[role]}
        found[role] = constants_of(files, background, noise_too=role == "target")
        logger.info("%s: %s", role, found[role])
    Constants(input=found["input"], target=found["target"]).write(path)


def constants_of(
    files: Mapping[str, Path], background: Background, noise_too: bool
) -> RoleConstants:
    """Return the constants of one microscope, from some of its images.

    The first one's grid stands for all: a target of another one is left out by the registration,
    which says so.
    """
    grid = read_image(next(iter(files.values()))).grid
    subtracted = None
    if background.method != "none":
        images = ((name, read_image(path).array) for name, path in files.items())
        subtracted = background_of(images, background)
    return RoleConstants(
        pixel_size_nm=grid.steps_nm(2)[0],
        z_step_nm=grid.z_step_nm,
        background=subtracted,
        noise=noise_of(list(files.values())) if noise_too else None,
    )


def noise_of(paths: Sequence[Path]) -> NoiseLine | None:
    """Return the noise of the target's camera, which a discriminator may be shown; None if unknown.

    Everything else does without it: it is said, and no error.
    """
    try:
        return noise_line(
            lambda: (read_image(path).array for path in progress(paths, "measuring noise"))
        )
    except NoNoiseLine as reason:
        logger.info("target: the noise of its camera is not known: %s", reason)
        return None


if __name__ == "__main__":
    from crossres.jobs import limit_threads, run

    job = snakemake
    limit_threads(job.threads)
    run(
        find_constants,
        job.log[0],
        folders={role: Path(job.input[role]) for role in ("input", "target")},
        names=job.params.names,
        background=Background(**job.params.background),
        path=Path(job.output[0]),
    )
