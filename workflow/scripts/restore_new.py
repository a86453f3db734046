"""Restore new images with a trained model, or with several; no training data is needed."""

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from crossres.experiments import code_hash
from crossres.jobs import InputError, limit_threads, logger, run
from crossres.networks import choose_device
from crossres.restoration import (
    RestoredRecord,
    Restorer,
    Stated,
    find_images,
    find_models,
    find_skipped,
    folder_of,
    load_models,
    restore_images,
)
from crossres.restoration.command import parse

STOPPED = 130
"""Exit code of a program that was interrupted at the keyboard."""


def restore_new(
    asked: argparse.Namespace,
    models: list[Path],
    images: list[Path],
    stated: Stated,
    record: RestoredRecord,
) -> None:
    """Write <image>.ome.tif of every image, restored, and restored.csv of all in the folder.

    Parameters
    ----------
    asked
        The command line.
    models
        Several are averaged.
    images
        Files.
    stated
        What the user says of the images.
    record
        Of the folder where images go.

    Raises
    ------
    InputError
        A model cannot be used; or, when all else is done, an image cannot be restored.
    """
    if skipped := find_skipped(asked.images):
        logger.warning("skipped: %d files that are no TIFF, such as %s", len(skipped), skipped[0])
    device = choose_device(asked.device, asked.threads)
    restorer = Restorer(
        load_models(models),
        device,
        asked.memory_gb,
        self_ensemble=asked.self_ensemble,
        share=asked.share,
    )
    try:
        restore_images(restorer, images, stated, record)
    finally:
        print(
            f"crossres: {len(record.rows())} restored images lie in {record.folder}",
            file=sys.stderr,
        )


def main(arguments: Sequence[str]) -> None:
    """Do what a command line asks for; end with code 1 and a sentence where that is impossible."""
    try:
        asked = parse(arguments)
        limit_threads(asked.threads)
        models = find_models([asked.model, *asked.others])
        folder = asked.out.expanduser() if asked.out else folder_of(models)
        images = find_images(asked.images, folder)
        stated = Stated(
            asked.pixel_size_nm, asked.z_step_nm, asked.axes, tuple(asked.channel), asked.background
        )
        hashes = {str(path.resolve()): sha256(path.read_bytes()).hexdigest() for path in models}
        by = [code_hash("restore_new.py"), asked.self_ensemble, asked.share, asdict(stated)]
        record = RestoredRecord(folder, hashes, by)
    except InputError as error:
        print(f"crossres: {error}", file=sys.stderr)
        sys.exit(1)
    _show_warnings()
    try:
        run(
            restore_new,
            str(folder / "restore_new.log"),
            asked=asked,
            models=models,
            images=images,
            stated=stated,
            record=record,
        )
    except KeyboardInterrupt:
        print("crossres: stopped; the same command goes on from here", file=sys.stderr)
        sys.exit(STOPPED)


def _show_warnings() -> None:
    """Show warnings on the screen, and not in the log alone."""
    screen = logging.StreamHandler()
    screen.addFilter(lambda record: record.levelno == logging.WARNING)
    screen.setFormatter(logging.Formatter("crossres: %(message)s"))
    logger.addHandler(screen)


if __name__ == "__main__":
    main(sys.argv[1:])
