"""Restore new images with a trained model, or with several; no training data is needed."""

import hashlib
import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from crossres.experiments.new_images import OTHER_FORMATS, image_name
from crossres.jobs import InputError, logger, progress
from crossres.networks import choose_device
from crossres.restoration import Record, Restorer, Stated, load_models


def restore_new(
    models: Sequence[Path],
    images: Sequence[Path],
    settings: Mapping[str, Any],
    code: str,
    device: str,
    threads: int,
    table: Path,
) -> None:
    """Write <image>.ome.tif of every image, restored, and a table of all, beside each other.

    Images that cannot be restored are named together at the end. What was restored before from
    the same image by the same models, settings and code is kept.

    Parameters
    ----------
    models
        Several are averaged.
    images
        Files.
    settings
        memory_gb, self_ensemble, pixel_size_nm, z_step_nm, axes, channel.
    code
        Hash of this script and of the library.
    device, threads
        Where to compute.
    table
        restored.csv; images go to its folder, standard deviations of ensembles to spread/ in it.

    Raises
    ------
    InputError
        A model cannot be used; or, when all else is done, an image cannot be restored.
    """
    restorer = Restorer(
        load_models(models),
        choose_device(device, threads),
        settings["memory_gb"],
        self_ensemble=settings["self_ensemble"],
    )
    by = [code, {key: settings[key] for key in settings if key != "memory_gb"}]
    by += [hashlib.sha256(path.read_bytes()).hexdigest() for path in models]
    record = Record(table.parent)
    rows, failures = [], []
    for path in progress(images, "restoring"):
        file = f"{image_name(path)}.ome.tif"
        results = [table.parent / file]
        results += [table.parent / "spread" / file] if restorer.has_spread else []
        try:
            if record.holds(path, results, by):
                logger.info("%s: kept, as it was restored before", path)
            else:
                _require_readable(path)
                restorer.restore_file(path, *results, stated=_stated(settings))
                record.add(path, results, by)
        except (InputError, OSError) as error:
            logger.error("%s", error)
            failures.append(str(error))
        else:
            rows.append([path, *results])
    print(f"crossres: {len(rows)} restored images lie in {table.parent}", file=sys.stderr)
    if failures:
        raise InputError(
            f"{len(failures)} of {len(images)} images could not be restored: {'; '.join(failures)}"
        )
    columns = ["image", "restored", "spread"][: len(rows[0])]
    pd.DataFrame(rows, columns=columns).to_csv(table, index=False)


def _require_readable(path: Path) -> None:
    if path.name.lower().endswith(OTHER_FORMATS):
        raise InputError(
            f"{path}: {path.suffix} files are not read; export it as OME-TIFF or ImageJ TIFF"
        )


def _stated(settings: Mapping[str, Any]) -> Stated:
    channel = settings["channel"]
    channels = channel.split(",") if isinstance(channel, str) else [channel]
    return Stated(
        settings["pixel_size_nm"],
        settings["z_step_nm"],
        settings["axes"],
        () if channel is None else tuple(channels),
    )


def _show_warnings() -> None:
    """Let warnings be seen on the screen, and not in the log alone."""
    screen = logging.StreamHandler()
    screen.addFilter(lambda record: record.levelno == logging.WARNING)
    screen.setFormatter(logging.Formatter("crossres: %(message)s"))
    logger.addHandler(screen)


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    _show_warnings()
    run(
        restore_new,
        job.log[0],
        models=[Path(path) for path in job.input.models],
        images=[Path(path) for path in job.input.images],
        settings=job.params.settings,
        code=job.params.code,
        device=job.resources.device,
        threads=job.threads,
        table=Path(job.output[0]),
    )
