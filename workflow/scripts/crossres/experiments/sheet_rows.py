"""The rows of a sheet: cells by column, each row checked on its own."""

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crossres.experiments.fields import SPLITS, RawFile
from crossres.jobs import InputError, cut, shown
from crossres.settings import Source
from crossres.settings.sheet import COLUMNS, REQUIRED

NAME = re.compile(r"[A-Za-z0-9_-]+")
ROLES = ("input", "target")

Cells = Mapping[str, str]


def read_rows(sheet: Path) -> list[tuple[int, dict[str, str]]]:
    """Return (line, cells by column) of every row that is not empty.

    Raises
    ------
    InputError
        No such sheet, no rows, another encoding, a quotation mark that is not closed, a column
        that is unknown, missing or there twice, or a cell in a column without a name.
    """
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


def check_row(where: str, cells: Cells, source: Source) -> None:
    """Check one row on its own.

    Parameters
    ----------
    where
        The sheet and its line, for the message.
    cells
        By column; those that the sheet lacks are empty.
    source
        ``source`` of the experiment, which says whether rows are cut or stitched.

    Raises
    ------
    InputError
        A cell that is not what its column takes, or that contradicts another or the source.
    """
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


def files_of(where: str, root: Path, cells: Cells) -> dict[str, Any]:
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


def place_of(where: str, cells: Cells) -> tuple[int, int]:
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
