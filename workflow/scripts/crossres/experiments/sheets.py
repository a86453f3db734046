"""Reading a sheet of images: fields, or the tiles of stage scans."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from crossres.experiments.fields import MEASURED, SPLITS, Field, RawFile, Tile
from crossres.experiments.splits import assign_splits
from crossres.jobs import InputError, cut, shown
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
        groups = _groups_of(sheet, fields, [cells["group"] for _, cells in rows])
        fields = assign_splits(sheet, fields, groups, source.split_fractions)
    return sorted(fields, key=lambda field: (field.channel, field.name)), []


def _read_rows(sheet: Path) -> list[tuple[int, dict[str, str]]]:
    """Return (line, cells by column) of every row that is not empty."""
    if not sheet.is_file():
        raise InputError(f"source.sheet: {sheet} does not exist; correct the path")
    with sheet.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, delimiter="\t", strict=True)
        line, rows = 1, []
        try:
            columns = _columns(sheet, next(reader, []))
            line = reader.line_num + 1
            for row in reader:
                if any(cell.strip() for cell in row):
                    rows.append((line, _cells(f"{sheet}, line {line}", columns, row)))
                line = reader.line_num + 1
        except (UnicodeDecodeError, csv.Error) as error:
            raise _unreadable(sheet, line, error) from error
    if not rows:
        raise InputError(f"{sheet}: has no rows; add one per field and channel")
    return rows


def _unreadable(sheet: Path, line: int, error: Exception) -> InputError:
    if isinstance(error, UnicodeDecodeError) or "NUL" in str(error):
        return InputError(
            f"{sheet}: is no text in UTF-8 ({error}); save it as tab-separated text in UTF-8"
        )
    return InputError(
        f"{sheet}, line {line}: cannot be read ({error}), perhaps for a quotation mark that opens "
        "a cell and is not closed; delete it"
    )


def _columns(sheet: Path, header: Sequence[str]) -> list[str]:
    """Return the names of the columns, checked; empty ones at a table's edge have none."""
    names = [name.strip() for name in header]
    for name in REQUIRED:
        if name not in names:
            found = cut(", ".join(filter(None, names))) or "none"
            raise InputError(
                f"{sheet}: has no column {name!r} (found: {found}); columns are separated by tabs"
            )
    for name in filter(None, names):
        if names.count(name) > 1:
            raise InputError(f"{sheet}: has the column {shown(name)} twice; delete one")
        if name not in COLUMNS:
            raise InputError(f"{sheet}: unknown column {shown(name)}; known: {', '.join(COLUMNS)}")
    return names


def _cells(where: str, columns: Sequence[str], row: Sequence[str]) -> dict[str, str]:
    """Return the cells of a row by column, those that it lacks empty."""
    cells = dict.fromkeys(COLUMNS, "")
    for number, cell in enumerate(row):
        name = columns[number] if number < len(columns) else ""
        if not name and cell.strip():
            raise InputError(
                f"{where}: has {shown(cell)} in column {number + 1}, which has no name; name it in "
                "the first line, or delete the cell"
            )
        # a quotation mark that is not closed takes the next rows into its cell
        if "\n" in cell and (name != "note" or "\t" in cell):
            raise InputError(
                f"{where}: {name} goes on over several lines; a quotation mark opens it: delete it"
            )
        if name:
            cells[name] = cell.strip()
    return cells


def _check_row(where: str, cells: Cells, source: Source) -> None:
    """Check one row on its own."""
    for column in ("field", "channel"):
        if not NAME.fullmatch(cells[column]):
            found = shown(cells[column])
            raise InputError(f"{where}: {column} is {found}; expected letters, digits, '-' and '_'")
    if cells["split"] and cells["split"] not in SPLITS:
        raise InputError(
            f"{where}: split is {shown(cells['split'])}; it can be {', '.join(SPLITS)}, or empty"
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
    if not 0 < size < float("inf"):
        raise InputError(
            f"{where}: {column} is {shown(cells[column])}; expected a positive number of nm"
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
            f"{where}: scene is {shown(cells['scene'])}; expected letters, digits, '-' and '_'"
        )
    for column in ("tile_row", "tile_col"):
        if not cells[column].isdecimal():
            found = shown(cells[column])
            raise InputError(
                f"{where}: {column} is {found}; a tile of a scan needs a whole number, from 0"
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
