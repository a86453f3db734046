"""Assigns fields to splits, whole groups at a time."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from crossres.experiments.fields import MEASURED, Field, Tile
from crossres.jobs import InputError
from crossres.settings.source import SplitFractions

Row = TypeVar("Row", Field, Tile)


def assign_splits(
    sheet: Path, rows: Sequence[Row], groups: Sequence[str], fractions: SplitFractions
) -> list[Row]:
    """Assign a split to each row that has none, whole groups at a time.

    Groups are ordered by a hash of their names, independent of the order of the rows.

    Parameters
    ----------
    sheet
        For the message.
    rows
        Fields or tiles; their ``split`` may be empty.
    groups
        The group of each.
    fractions
        Parts of the groups.

    Raises
    ------
    InputError
        A group that the sheet puts in two splits.
    """
    given: dict[str, str] = {}
    for row, group in zip(rows, groups, strict=True):
        if row.split and given.setdefault(group, row.split) != row.split:
            raise InputError(
                f"{sheet}, line {row.row}: group {group!r} is in the {given[group]} split above "
                f"and in {row.split} here; keep a group in one split, or name two groups"
            )
    open_groups = {g for row, g in zip(rows, groups, strict=True) if not row.split} - set(given)
    assigned = {**given, **_by_fraction(open_groups, fractions)}
    return [
        replace(row, split=row.split or assigned[group])
        for row, group in zip(rows, groups, strict=True)
    ]


def _by_fraction(groups: set[str], fractions: SplitFractions) -> Mapping[str, str]:
    order = sorted(groups, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    parts = {split: getattr(fractions, split) for split in MEASURED}
    total = sum(parts.values()) or 1.0
    bounds, reached = {}, 0.0
    for split, part in parts.items():
        reached += part / total
        bounds[split] = reached
    return {
        name: next((s for s in MEASURED if (number + 0.5) / len(order) <= bounds[s]), "test")
        for number, name in enumerate(order)
    }
