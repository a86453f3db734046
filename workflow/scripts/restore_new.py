"""Restore new images with a trained model, or with several; no training data is needed."""

import logging
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from crossres.experiments.new_images import OTHER_FORMATS, image_name
from crossres.images import files_of_image
from crossres.jobs import InputError, logger, progress, written_aside
from crossres.networks import choose_device
from crossres.restoration import Record, Restorer, Stated, load_models


def restore_new(
    models: Sequence[Path],
    images: Sequence[Path],
    settings: Mapping[str, Any],
    code: str,
    device: str,
    threads: int,
    folder: Path,
) -> None:
    """Write <image>.ome.tif of every image, restored, and restored.csv of all that lie there.

    Images that cannot be restored are named together at the end. What was restored before from
    the same image by the same models, settings and code is kept. An image that is spread over
    several files is restored once.

    Parameters
    ----------
    models
        Several are averaged.
    images
        Files.
    settings
        memory_gb, self_ensemble, pixel_size_nm, z_step_nm, axes, channel, background.
    code
        Hash of this script and of the library.
    device, threads
        Where to compute.
    folder
        Where images and restored.csv go, and standard deviations of ensembles to spread/ in it.

    Raises
    ------
    InputError
        A model or the folder cannot be used; or, when all else is done, an image cannot be
        restored.
    """
    hashes = {str(path.resolve()): sha256(path.read_bytes()).hexdigest() for path in models}
    by = [code, {key: settings[key] for key in settings if key != "memory_gb"}]
    record = Record(folder, hashes, by)
    table = folder / "restored.csv"
    if table.exists() and not record.path.exists():
        raise InputError(
            f"{table}: is there and was not written by this workflow; name another folder with "
            "restored=..."
        )
    record.clear()
    restorer = Restorer(
        load_models(models),
        choose_device(device, threads),
        settings["memory_gb"],
        self_ensemble=settings["self_ensemble"],
    )
    failures: list[str] = []
    parts: dict[Path, Path] = {}
    count = 0
    for path in progress(images, "restoring"):
        if whole := parts.get(path.resolve()):
            logger.info("%s: restored with %s, as both are files of one image", path, whole)
            continue
        parts |= {part.resolve(): path for part in files_of_image(path)}
        count += 1
        file = f"{image_name(path)}.ome.tif"
        results = [folder / file]
        results += [folder / "spread" / file] if restorer.has_spread else []
        try:
            _require_readable(path)
            if record.holds(path, results):
                logger.info("%s: kept, as it was restored before", path)
            else:
                record.begin(path, results)
                restorer.restore_file(path, *results, stated=_stated(settings))
                record.add(path, results)
        except (InputError, OSError) as error:
            text = str(error)
            text = text if text.startswith(str(path)) else f"{path}: {text}"
            logger.error("%s", text)
            failures.append(text)
    rows = record.rows()
    if rows or table.exists():
        with written_aside(table) as aside:
            pd.DataFrame(rows, columns=["image", "restored", "spread"]).to_csv(aside, index=False)
    print(f"crossres: {len(rows)} restored images lie in {folder}", file=sys.stderr)
    if failures:
        listed = "\n".join(f"  {text}" for text in failures)
        raise InputError(f"{len(failures)} of {count} images could not be restored:\n{listed}")


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
        settings["background"],
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
        models=[Path(path) for path in job.params.models],
        images=[Path(path) for path in job.params.images],
        settings=job.params.settings,
        code=job.params.code,
        device=job.resources.device,
        threads=job.threads,
        folder=Path(job.output[0]).parent,
    )
