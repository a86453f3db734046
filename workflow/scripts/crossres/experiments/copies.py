"""A pair that is trained on and tested too, as its files were copied under another name."""

import filecmp
from collections.abc import Iterator, Mapping
from pathlib import Path

from crossres.experiments.experiment import Experiment
from crossres.experiments.fields import MEASURED, Field, Tile
from crossres.jobs import InputError

SAMPLE = 4096
"""Bytes in the middle of a file by which copies are suspected; noise makes them unique."""

LEAST_VALUES = 3
"""Different bytes in a sample; empty tiles of two scans are alike and no copies."""


def require_no_copies(experiments: Mapping[str, Experiment]) -> None:
    """Refuse files of one content in two splits: what was trained on is no test.

    Of files whose size occurs in one split alone nothing is read; of the others a few thousand
    bytes, and all of those that agree in them.

    Raises
    ------
    InputError
        Naming both files with their lines of the sheet.
    """
    for experiment in experiments.values():
        if experiment.simulated or experiment.settings.source.cut is not None:
            continue
        by_size: dict[int, list[tuple[Path, Field | Tile]]] = {}
        for path, row in _files(experiment):
            by_size.setdefault(path.stat().st_size, []).append((path, row))
        for size, alike in by_size.items():
            if len({row.split for _, row in alike}) > 1:
                _compare(experiment.settings.source.sheet or "", size, alike)


def _files(experiment: Experiment) -> Iterator[tuple[Path, Field | Tile]]:
    """Yield every file of the splits that are measured, with a row that names it."""
    rows: tuple[Field | Tile, ...] = experiment.tiles or experiment.fields
    for row in rows:
        for file in (row.input, row.target):
            if file is not None and row.split in MEASURED:
                yield Path(file.path), row


def _compare(sheet: str, size: int, alike: list[tuple[Path, Field | Tile]]) -> None:
    by_sample: dict[bytes, list[tuple[Path, Field | Tile]]] = {}
    for path, row in alike:
        with path.open("rb") as file:
            file.seek(max(0, (size - SAMPLE) // 2))
            sample = file.read(SAMPLE)
        if len(set(sample)) < LEAST_VALUES:
            continue
        for other, before in by_sample.setdefault(sample, []):
            if before.split != row.split and filecmp.cmp(path, other, shallow=False):
                raise InputError(
                    f"{sheet}, line {row.row}: {path} ({row.split}) is a copy of {other} of line "
                    f"{before.row} ({before.split}); delete one, or name one group in both lines"
                )
        by_sample[sample].append((path, row))
