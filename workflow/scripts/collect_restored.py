"""Collect the restored fields of all batches in one folder."""

import os
import shutil
from pathlib import Path

from crossres.images import fields_in
from crossres.jobs import logger

SPREAD = "spread"
"""Subfolder of the standard deviations of ensembles."""


def collect_restored(folders: list[Path], folder: Path) -> None:
    """Link the fields of some folders, and those of their spread/, into one.

    Files are hard links, or copies where the file system has none. The new folder is filled
    under another name and renamed: under its own name it is always whole.

    Parameters
    ----------
    folders
        Restored batches.
    folder
        Where to; one that is there is replaced.
    """
    aside = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    for batch in folders:
        for path in fields_in([batch, batch / SPREAD]):
            place = aside / path.relative_to(batch)
            place.parent.mkdir(exist_ok=True)
            _link(path, place)
    shutil.rmtree(folder, ignore_errors=True)
    aside.rename(folder)
    logger.info("collected %d fields of %d batches", len(fields_in([folder])), len(folders))


def _link(path: Path, place: Path) -> None:
    try:
        os.link(path, place)
    except FileExistsError:
        raise
    except OSError:
        shutil.copy2(path, place)


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake
    run(
        collect_restored,
        job.log[0],
        folders=[Path(path) for path in job.input],
        folder=Path(job.output[0]),
    )
