"""Fields of view, and the tiles that some of them are stitched from."""

from dataclasses import dataclass, field
from typing import ClassVar

SPLITS = ("train", "validation", "test", "apply")
MEASURED = ("train", "validation", "test")
"""Splits whose fields have a target."""


@dataclass(frozen=True)
class RawFile:
    """A file of one modality, with what the sheet states about it.

    Parameters
    ----------
    path
        Path of the file.
    pixel_size_nm, z_step_nm
        As stated by the sheet; None where it states none.
    """

    path: str
    pixel_size_nm: float | None = None
    z_step_nm: float | None = None


@dataclass(frozen=True)
class Field:
    """One field of view in one channel.

    Parameters
    ----------
    name, channel, split
        Unique by name and channel; split is train, validation, test or apply.
    input, target
        Files of a sheet; None where simulated or cut from a scan, or where there is no target.
    cut_index
        Number of the field within the large image it is cut from; None if it is not cut.
    scene
        Stage scan that the field is cut from; None without one.
    row
        Line of the sheet, for messages; it does not count in comparisons.
    """

    name: str
    channel: str
    split: str
    input: RawFile | None = None
    target: RawFile | None = None
    cut_index: int | None = None
    scene: str | None = None
    row: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Tile:
    """One stop of a stage scan in one channel.

    Parameters
    ----------
    scene, channel, split
        Of the scan.
    place
        (row, column) in the scan.
    input, target
        File of each objective's tile; None where its scan lacks the tile.
    row
        Line of the sheet, for messages.
    """

    scene: str
    channel: str
    split: str
    place: tuple[int, int]
    input: RawFile | None = None
    target: RawFile | None = None
    row: int = field(default=0, compare=False)

    cut_index: ClassVar[None] = None

    @property
    def name(self) -> str:
        """Name of its files, such as scene_r0c1 for the tile in row 0, column 1."""
        return tile_name(self.scene, *self.place)


def tile_name(scene: str, row: int, column: int) -> str:
    """Return the name of a tile, or of a field of a stitched scene, by its row and column."""
    return f"{scene}_r{row}c{column}"
