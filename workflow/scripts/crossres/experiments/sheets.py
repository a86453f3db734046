"""Reading a sheet of images: fields, or the tiles of stage scans."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from crossres.experiments.fields import MEASURED, Field, Tile
from crossres.experiments.sheet_rows import ROLES, Cells, check_row, files_of, place_of, read_rows
from crossres.experiments.splits import assign_splits
from crossres.jobs import InputError, shown
from crossres.settings import Cut, Source

LISTED = 20
"""Most missing files that a message names."""


def read_sheet(source: Source) -> tuple[list[Field], list[Tile]]:
    """Return the fields of a sheet, or the tiles of its stage scans, splits assigned.

    Both are sorted by name, so that the order of rows does not matter.

    Parameters
    ----------
    source
        ``source`` of an experiment, with its paths resolved.

    Raises
    ------
    InputError
        A missing sheet, folder or file; an unknown column; an empty or duplicate row; an invalid
        value. Messages name the line of the sheet.
    """
    sheet, root = Path(source.sheet or ""), source.images_folder
    rows = read_rows(sheet)
    if not root.is_dir():
        raise InputError(
            f"source.data_root: the folder {root} does not exist; set it to where the images of "
            f"{sheet} lie (docs/real-data.md says where public ones come from)"
        )
    for line, cells in rows:
        check_row(f"{sheet}, line {line}", cells, source)
    if source.stitch is not None:
        return [], _read_tiles(sheet, root, rows, source)
    fields = [
        Field(
            cells["field"],
            cells["channel"],
            cells["split"],
            **files_of(f"{sheet}, line {line}", root, cells),
            row=line,
        )
        for line, cells in rows
    ]
    _check_files(sheet, fields)
    _check_unique(sheet, fields)
    if source.cut is not None:
        fields = [piece for field in fields for piece in _cut(field, source.cut)]
    else:
        groups = _groups_of(sheet, fields, [cells["group"] for _, cells in rows])
        fields = assign_splits(sheet, fields, groups, source.split_fractions)
    return sorted(fields, key=lambda field: (field.channel, field.name)), []


def _read_tiles(
    sheet: Path, root: Path, rows: Sequence[tuple[int, Cells]], source: Source
) -> list[Tile]:
    tiles = []
    for line, cells in rows:
        where = f"{sheet}, line {line}"
        place = place_of(where, cells)
        files = files_of(where, root, cells)
        tiles.append(
            Tile(cells["scene"], cells["channel"], cells["split"], place, **files, row=line)
        )
    groups = [cells["group"] or cells["scene"] for _, cells in rows]
    _check_tiles(sheet, tiles)
    _check_files(sheet, tiles)
    _check_unique(sheet, tiles)
    _check_groups(sheet, tiles, groups)
    tiles = assign_splits(sheet, tiles, groups, source.split_fractions)
    return sorted(tiles, key=lambda tile: (tile.channel, tile.scene, tile.place))


def _check_tiles(sheet: Path, tiles: Sequence[Tile]) -> None:
    """Check that no scan has a tile twice."""
    seen: dict[Any, int] = {}
    for tile in tiles:
        for role in ROLES:
            key = (tile.scene, tile.channel, role, tile.place)
            if getattr(tile, role) is None:
                continue
            if key in seen:
                raise InputError(
                    f"{sheet}, line {tile.row}: the {role} of scene {tile.scene!r}, channel "
                    f"{tile.channel!r} has its tile {tile.place} in line {seen[key]} already; "
                    "correct tile_row or tile_col"
                )
            seen[key] = tile.row


def _check_groups(sheet: Path, tiles: Sequence[Tile], groups: Sequence[str]) -> None:
    """Check that the tiles of a scene are in one group: they become fields of one split."""
    seen: dict[str, tuple[str, int]] = {}
    for tile, group in zip(tiles, groups, strict=True):
        other, line = seen.setdefault(tile.scene, (group, tile.row))
        if other != group:
            raise InputError(
                f"{sheet}, line {tile.row}: scene {tile.scene!r} is in group {group!r} here and in "
                f"{other!r} in line {line}; keep a scene in one group"
            )


def _check_files(sheet: Path, rows: Sequence[Field] | Sequence[Tile]) -> None:
    """Name every file that is missing, not just the first."""
    missing = [
        f"{sheet}, line {row.row}: {role} {file.path} does not exist"
        for row in rows
        for role, file in (("input", row.input), ("target", row.target))
        if file is not None and not Path(file.path).is_file()
    ]
    if missing:
        more = [f"and {len(missing) - LISTED} more"] if len(missing) > LISTED else []
        listed = "\n          ".join(missing[:LISTED] + more)
        raise InputError(f"{listed}; correct the path, or source.data_root")


def _check_unique(sheet: Path, rows: Sequence[Field] | Sequence[Tile]) -> None:
    """Check that no field and no file stands twice, also under another path or by a link.

    Several fields may have one target, such as inputs at several light levels.
    """
    seen: dict[Any, tuple[int, str, str]] = {}
    for row in rows:
        whole = f"field {shown(row.name)} of channel {shown(row.channel)}"
        keys: list[tuple[Any, str, str]] = []
        if isinstance(row, Field):
            keys.append(((row.name, row.channel), "field", whole))
        for role in ROLES:
            if (file := getattr(row, role)) is not None:
                keys.append((_identity(file.path), role, f"{role} {file.path}"))
        for key, role, what in keys:
            line, before, called = seen.setdefault(key, (row.row, role, what))
            if line == row.row and before == role:
                continue
            if before == role == "target" and isinstance(row, Field):
                continue
            if line == row.row:
                raise InputError(
                    f"{sheet}, line {line}: input and target are one file, {file.path}; give the "
                    "other microscope's image of the field"
                )
            other = f" as {called}" if called != what else ""
            raise InputError(
                f"{sheet}, line {row.row}: {what} stands in line {line} already{other}; delete one "
                "of the rows"
            )


def _identity(path: str) -> tuple[int, int]:
    """Return what a file has in common with all paths and links that lead to it."""
    found = Path(path).stat()
    return found.st_dev, found.st_ino


def _groups_of(sheet: Path, fields: Sequence[Field], given: Sequence[str]) -> list[str]:
    """Return the group of each field: as given, that of a field with the same target, its name."""
    groups: list[str] = []
    of_target: dict[tuple[int, int], tuple[str, int]] = {}
    for field, group in zip(fields, given, strict=True):
        named = group or field.name
        if field.target is not None:
            key = _identity(field.target.path)
            before, line = of_target.setdefault(key, (named, field.row))
            if group and group != before:
                raise InputError(
                    f"{sheet}, line {field.row}: has the target of line {line}, but is in group "
                    f"{shown(group)} and not in {shown(before)}; correct the target, or name one "
                    "group in both"
                )
            named = before
        groups.append(named)
    return groups


def _cut(field: Field, cut: Cut) -> list[Field]:
    """Return the fields that an image is cut into, named by row and column."""
    split_of = [split for split in MEASURED for _ in range(getattr(cut.columns, split))]
    return [
        replace(
            field,
            name=f"{field.name}_r{row}c{column}",
            split=split,
            cut_index=row * len(split_of) + column,
        )
        for row in range(cut.rows)
        for column, split in enumerate(split_of)
    ]
