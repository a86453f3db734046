"""Reading a sheet of images: fields, or the tiles of stage scans."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from crossres.experiments.fields import MEASURED, SPLITS, Field, RawFile, Tile
from crossres.experiments.splits import assign_splits
from crossres.jobs import InputError
from crossres.settings import Cut, Source
from crossres.settings.sheet import COLUMNS, REQUIRED

NAME = re.compile(r"[A-Za-z0-9_-]+")
ROLES = ("input", "target")

LISTED = 20
"""Most missing files that a message names."""

Cells = Mapping[str, str]


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
    rows = _read_rows(sheet)
    if not root.is_dir():
        raise InputError(
            f"source.data_root: the folder {root} does not exist; set it to where the images of "
            f"{sheet} lie (docs/real-data.md says where public ones come from)"
        )
    for line, cells in rows:
        _check_row(f"{sheet}, line {line}", cells, source)
    if source.stitch is not None:
        return [], _read_tiles(sheet, root, rows, source)
    fields = [
        Field(
            cells["field"],
            cells["channel"],
            cells["split"],
            **_files(f"{sheet}, line {line}", root, cells),
            row=line,
        )
        for line, cells in rows
    ]
    _check_files(sheet, fields)
    _check_unique(sheet, fields)
    if source.cut is not None:
        fields = [piece for field in fields for piece in _cut(field, source.cut)]
    else:
        groups = [cells["group"] or cells["field"] for _, cells in rows]
        fields = assign_splits(sheet, fields, groups, source.split_fractions)
    return sorted(fields, key=lambda field: (field.channel, field.name)), []


def _read_rows(sheet: Path) -> list[tuple[int, dict[str, str]]]:
    """Return (line, cells by column) of every row."""
    if not sheet.is_file():
        raise InputError(f"source.sheet: {sheet} does not exist; correct the path")
    with sheet.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, delimiter="\t")
        try:
            _check_columns(sheet, reader.fieldnames or [])
            # the reader skips blank lines, but counts them
            rows = [_cells(sheet, reader.line_num, row) for row in reader]
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError(
                f"{sheet}: is no text in UTF-8 ({error}); save it as tab-separated text in UTF-8"
            ) from error
    if not rows:
        raise InputError(f"{sheet}: has no rows; add one per field and channel")
    return rows


def _check_columns(sheet: Path, found: Sequence[str]) -> None:
    for name in REQUIRED:
        if name not in found:
            raise InputError(
                f"{sheet}: has no column {name!r} (found: {', '.join(found) or 'none'}); columns "
                "are separated by tabs"
            )
    for name in found:
        if list(found).count(name) > 1:
            raise InputError(f"{sheet}: has the column {name!r} twice; delete one")
        if name not in COLUMNS:
            raise InputError(f"{sheet}: unknown column {name!r}; known: {', '.join(COLUMNS)}")


def _cells(sheet: Path, line: int, row: Mapping[str, Any]) -> tuple[int, dict[str, str]]:
    if None in row:
        raise InputError(f"{sheet}, line {line}: has more cells than the header has columns")
    cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
    if not any(cells.values()):
        raise InputError(f"{sheet}, line {line}: is empty; delete it")
    return line, cells


def _check_row(where: str, cells: Cells, source: Source) -> None:
    """Check one row on its own."""
    for column in ("field", "channel"):
        if not NAME.fullmatch(cells[column]):
            raise InputError(
                f"{where}: {column} is {cells[column]!r}; expected letters, digits, '-' and '_'"
            )
    if cells["split"] and cells["split"] not in SPLITS:
        raise InputError(
            f"{where}: split is {cells['split']!r}; it can be {', '.join(SPLITS)}, or empty"
        )
    if cells["split"] and source.cut is not None:
        raise InputError(f"{where}: split is given, but source.cut assigns it; empty the cell")
    tile_of_one = cells["scene"] and (cells["input"] or cells["target"])
    whole = cells["input"] and (cells["target"] or cells["split"] == "apply")
    if not (tile_of_one or whole):
        missing = "input" if not cells["input"] else "target"
        raise InputError(f"{where}: {missing} is empty; only `apply` rows do without a target")
    if bool(cells["scene"]) != (source.stitch is not None):
        have, lack = ("scene", "source.stitch") if cells["scene"] else ("source.stitch", "scene")
        raise InputError(
            f"{where}: {have} is given, but no {lack}; the tiles of a stage scan need both, "
            "fields that are not stitched neither"
        )
    if not cells["scene"] and (cells["tile_row"] or cells["tile_col"]):
        raise InputError(f"{where}: tile_row and tile_col are given, but no scene; name it")


def _files(where: str, root: Path, cells: Cells) -> dict[str, Any]:
    """Return the files of a row, by role; one may be missing."""
    sizes = {
        role: [_length(where, cells, f"{role}_{key}") for key in ("pixel_size_nm", "z_step_nm")]
        for role in ROLES
    }
    return {role: RawFile(str(root / cells[role]), *sizes[role]) for role in ROLES if cells[role]}


def _length(where: str, cells: Cells, column: str) -> float | None:
    if not cells[column]:
        return None
    try:
        size = float(cells[column])
    except ValueError:
        size = 0.0
    if not size > 0:
        raise InputError(
            f"{where}: {column} is {cells[column]!r}; expected a positive number of nm"
        )
    return size


def _read_tiles(
    sheet: Path, root: Path, rows: Sequence[tuple[int, Cells]], source: Source
) -> list[Tile]:
    tiles = []
    for line, cells in rows:
        where = f"{sheet}, line {line}"
        place = _place(where, cells)
        files = _files(where, root, cells)
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


def _place(where: str, cells: Cells) -> tuple[int, int]:
    """Return the place of a tile in its scan."""
    if not NAME.fullmatch(cells["scene"]):
        raise InputError(
            f"{where}: scene is {cells['scene']!r}; expected letters, digits, '-' and '_'"
        )
    for column in ("tile_row", "tile_col"):
        if not cells[column].isdecimal():
            raise InputError(
                f"{where}: {column} is {cells[column]!r}; a tile of a scan needs a whole number, "
                "from 0"
            )
    return int(cells["tile_row"]), int(cells["tile_col"])


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
    seen: dict[Any, int] = {}
    for row in rows:
        whole = (row.name, row.channel), f"field {row.name!r} of channel {row.channel!r}"
        keys: list[tuple[Any, str]] = [whole] if isinstance(row, Field) else []
        for role in ROLES:
            file = getattr(row, role)
            keys += [(file.path, f"{role} {file.path}")] if file is not None else []
        for key, what in keys:
            if key in seen:
                raise InputError(
                    f"{sheet}, line {row.row}: {what} stands in line {seen[key]} already; "
                    "delete one of the rows"
                )
            seen[key] = row.row


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
