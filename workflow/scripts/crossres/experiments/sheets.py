"""Reading a sheet of images and deciding which field belongs to which split."""

import csv
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossres.jobs import InputError
from crossres.settings.sheet import COLUMNS, REQUIRED

SPLITS = ("train", "validation", "test", "apply")
NAME = re.compile(r"[A-Za-z0-9_-]+")

LISTED = 20
"""Missing files that are named one by one."""


@dataclass(frozen=True)
class Field:
    """One field of view in one channel.

    Parameters
    ----------
    name, channel, split
        Unique by name and channel; split is train, validation, test or apply.
    input_path, target_path
        Files of a sheet; None where simulated, or where there is no target.
    input_pixel_size_nm, target_pixel_size_nm
        As the sheet gives them, None where it does not.
    cut_index
        Number of the field within a large image that is cut, None where it is not.
    scene
        Stage scan that the field is cut from, or that the tile belongs to; None without one.
    tile
        (row, column) in its scan of what is a tile and no field.
    row
        Line of the sheet, for messages.
    """

    name: str
    channel: str
    split: str
    input_path: str | None = None
    target_path: str | None = None
    input_pixel_size_nm: float | None = None
    target_pixel_size_nm: float | None = None
    cut_index: int | None = None
    scene: str | None = None
    tile: tuple[int, int] | None = None
    row: int = 0


def read_sheet(source: Mapping[str, Any]) -> list[Field]:
    """Return the fields of a sheet, checked row by row, splits assigned.

    Parameters
    ----------
    source
        ``sheet``, ``data_root``, ``split_fractions`` and, where images are cut, ``cut``.

    Raises
    ------
    InputError
        A missing sheet, folder or file; an unknown column; an empty or duplicate row; a value
        that cannot be: each with the line of the sheet.
    """
    sheet, root = Path(source["sheet"]), Path(source["data_root"])
    if not sheet.is_file():
        raise InputError(f"source.sheet: {sheet} does not exist; correct the path")
    if not root.is_dir():
        raise InputError(
            f"source.data_root: the folder {root} does not exist; set it to where the images of "
            f"{sheet} lie (docs/real-data.md says where public ones come from)"
        )
    with sheet.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, delimiter="\t")
        try:
            _check_columns(sheet, reader.fieldnames or [])
            # the reader passes over blank lines, but counts them
            rows = [_row_of(sheet, reader.line_num, row) for row in reader]
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError(
                f"{sheet}: is no text in UTF-8 ({error}); save it as tab-separated text in UTF-8"
            ) from error
    if not rows:
        raise InputError(f"{sheet}: has no rows; add one per field and channel")
    fields = [_field_of(sheet, root, line, row, source) for line, row in rows]
    _check_scenes(sheet, fields, rows, source)
    _check_files(sheet, fields)
    _check_unique(sheet, fields)
    if "cut" in source:
        return [piece for field in fields for piece in _cut(field, source["cut"])]
    groups = {
        id(f): row["group"] or row["scene"] or row["field"]
        for f, (_, row) in zip(fields, rows, strict=True)
    }
    _check_groups(sheet, fields, groups)
    return _assign_splits(sheet, fields, groups, source["split_fractions"])


def _check_columns(sheet: Path, found: list[str] | Any) -> None:

    for name in REQUIRED:
        if name not in found:
            raise InputError(
                f"{sheet}: has no column {name!r} (found: {', '.join(found) or 'none'}); columns "
                "are separated by tabs"
            )
    for name in found:
        if found.count(name) > 1:
            raise InputError(f"{sheet}: has the column {name!r} twice; delete one")
        if name not in COLUMNS:
            raise InputError(f"{sheet}: {name!r} is an unknown column; known: {', '.join(COLUMNS)}")


def _row_of(sheet: Path, line: int, row: Mapping[str, Any]) -> tuple[int, dict[str, str]]:
    if None in row:
        raise InputError(f"{sheet}, line {line}: has more cells than the header has columns")
    cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
    if not any(cells.values()):
        raise InputError(f"{sheet}, line {line}: is empty; delete it")
    return line, cells


def _field_of(
    sheet: Path, root: Path, line: int, row: Mapping[str, str], source: Mapping[str, Any]
) -> Field:
    where = f"{sheet}, line {line}"
    for column in ("field", "channel"):
        if not NAME.fullmatch(row[column]):
            raise InputError(
                f"{where}: {column} is {row[column]!r}; expected letters, digits, '-' and '_'"
            )
    if row["split"] and row["split"] not in SPLITS:
        raise InputError(
            f"{where}: split is {row['split']!r}; it can be {', '.join(SPLITS)}, or empty"
        )
    if row["split"] and "cut" in source:
        raise InputError(f"{where}: split is given, but source.cut assigns it; empty the cell")
    tile_of_one = row["scene"] and (row["input"] or row["target"])
    whole = row["input"] and (row["target"] or row["split"] == "apply")
    if not (tile_of_one or whole):
        missing = "input" if not row["input"] else "target"
        raise InputError(f"{where}: {missing} is empty; only `apply` rows do without a target")
    paths = {role: str(root / row[role]) if row[role] else None for role in ("input", "target")}
    return Field(
        row["field"],
        row["channel"],
        row["split"],
        paths["input"],
        paths["target"],
        _pixel_size(where, row, "input_pixel_size_nm"),
        _pixel_size(where, row, "target_pixel_size_nm"),
        scene=row["scene"] or None,
        tile=_tile(where, row),
        row=line,
    )


def _tile(where: str, row: Mapping[str, str]) -> tuple[int, int] | None:
    """Return the place of a tile in its scan, None where the row is no tile."""
    if not row["scene"]:
        return None
    if not NAME.fullmatch(row["scene"]):
        raise InputError(
            f"{where}: scene is {row['scene']!r}; expected letters, digits, '-' and '_'"
        )
    for column in ("tile_row", "tile_col"):
        if not row[column].isdecimal():
            raise InputError(
                f"{where}: {column} is {row[column]!r}; a tile of a scan needs a whole number, "
                "from 0"
            )
    return int(row["tile_row"]), int(row["tile_col"])


def _check_scenes(
    sheet: Path, fields: list[Field], rows: list[tuple[int, dict[str, str]]], source: Mapping
) -> None:
    """Check that stage scans are stitched, and that nothing else is."""
    seen: dict[Any, int] = {}
    for field, (line, row) in zip(fields, rows, strict=True):
        where = f"{sheet}, line {line}"
        if (field.scene is None) == ("stitch" in source):
            have, lack = ("scene", "source.stitch") if field.scene else ("source.stitch", "scene")
            raise InputError(
                f"{where}: {have} is given, but no {lack}; the tiles of a stage scan need both, "
                "fields that are not stitched neither"
            )
        if field.scene is None and (row["tile_row"] or row["tile_col"]):
            raise InputError(f"{where}: tile_row and tile_col are given, but no scene; name it")
        for role in ("input", "target"):
            key = (field.scene, field.channel, role, field.tile)
            if field.scene is None or getattr(field, f"{role}_path") is None:
                continue
            if key in seen:
                raise InputError(
                    f"{where}: the {role} of scene {field.scene!r}, channel {field.channel!r} has "
                    f"its tile {field.tile} in line {seen[key]} already; correct tile_row or "
                    "tile_col"
                )
            seen[key] = line


def _check_groups(sheet: Path, fields: list[Field], groups: Mapping[int, str]) -> None:
    """Check that the tiles of a scene are in one group: they become fields of one split."""
    seen: dict[str, tuple[str, int]] = {}
    for field in fields:
        if field.scene is None:
            continue
        group, line = seen.setdefault(field.scene, (groups[id(field)], field.row))
        if group != groups[id(field)]:
            raise InputError(
                f"{sheet}, line {field.row}: scene {field.scene!r} is in group "
                f"{groups[id(field)]!r} here and in {group!r} in line {line}; keep a scene in one "
                "group"
            )


def _pixel_size(where: str, row: Mapping[str, str], column: str) -> float | None:
    if not row[column]:
        return None
    try:
        size = float(row[column])
    except ValueError:
        size = 0.0
    if not size > 0:
        raise InputError(f"{where}: {column} is {row[column]!r}; expected a positive number of nm")
    return size


def _check_files(sheet: Path, fields: list[Field]) -> None:
    """Name every file that is missing, not just the first."""
    missing = [
        f"{sheet}, line {field.row}: {role} {path} does not exist"
        for field in fields
        for role, path in (("input", field.input_path), ("target", field.target_path))
        if path is not None and not Path(path).is_file()
    ]
    if missing:
        more = [f"and {len(missing) - LISTED} more"] if len(missing) > LISTED else []
        listed = "\n          ".join(missing[:LISTED] + more)
        raise InputError(f"{listed}; correct the path, or source.data_root")


def _check_unique(sheet: Path, fields: list[Field]) -> None:
    seen: dict[Any, int] = {}
    for field in fields:
        for key, what in (
            ((field.name, field.channel), f"field {field.name!r} of channel {field.channel!r}"),
            (field.input_path or field, f"input {field.input_path}"),
            (field.target_path or field, f"target {field.target_path}"),
        ):
            if key in seen:
                raise InputError(
                    f"{sheet}, line {field.row}: {what} stands in line {seen[key]} already; "
                    "delete one of the rows"
                )
            seen[key] = field.row


def _cut(field: Field, cut: Mapping[str, Any]) -> list[Field]:
    """Return the fields that an image is cut into, named by row and column."""
    split_of = [split for split in SPLITS[:3] for _ in range(cut["columns"][split])]
    return [
        Field(
            f"{field.name}_r{row}c{column}",
            field.channel,
            split,
            field.input_path,
            field.target_path,
            field.input_pixel_size_nm,
            field.target_pixel_size_nm,
            cut_index=row * len(split_of) + column,
            row=field.row,
        )
        for row in range(cut["rows"])
        for column, split in enumerate(split_of)
    ]


def _assign_splits(
    sheet: Path,
    fields: list[Field],
    groups: Mapping[int, str],
    fractions: Mapping[str, float],
) -> list[Field]:
    """Give each field without a split that of its group, whole groups at a time.

    Groups are put in an order that depends on nothing but their names, not on that of the rows.
    """
    given: dict[str, str] = {}
    for f in fields:
        group = groups[id(f)]
        if f.split and given.setdefault(group, f.split) != f.split:
            raise InputError(
                f"{sheet}, line {f.row}: group {group!r} is in the {given[group]} split above and "
                f"in {f.split} here; keep a group in one split, or name two groups"
            )
    names = {groups[id(f)] for f in fields if not f.split} - set(given)
    order = sorted(names, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    total = sum(fractions.values()) or 1.0
    bounds = {}
    reached = 0.0
    for split in SPLITS[:3]:
        reached += fractions.get(split, 0.0) / total
        bounds[split] = reached
    assigned = dict(given)
    for number, name in enumerate(order):
        place = (number + 0.5) / len(order)
        assigned[name] = next((s for s in SPLITS[:3] if place <= bounds[s]), "test")
    return [Field(**{**f.__dict__, "split": f.split or assigned[groups[id(f)]]}) for f in fields]
