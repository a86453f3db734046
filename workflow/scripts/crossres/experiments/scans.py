"""Stage scans: the tiles that a microscope took, and the fields that they become."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from crossres.experiments.fields import MEASURED, Field, RawFile, Tile, tile_name
from crossres.settings import FieldGrid, StageAcquisition


@dataclass(frozen=True)
class Scene:
    """What one stage scan shows, in one channel."""

    name: str
    channel: str
    split: str


def fields_of_scenes(scenes: Iterable[Scene], grid: FieldGrid) -> list[Field]:
    """Return the fields that stage scans are cut into, scene by scene and row by row."""
    return [
        Field(tile_name(scene.name, row, column), scene.channel, scene.split, scene=scene.name)
        for scene in scenes
        for row in range(grid.rows)
        for column in range(grid.columns)
    ]


def simulated_scenes(acquisition: StageAcquisition, channels: Iterable[str]) -> list[Scene]:
    """Return every simulated scan."""
    return [
        Scene(f"{split}_{number:03d}", channel, split)
        for channel in channels
        for split in MEASURED
        for number in range(getattr(acquisition.scenes, split))
    ]


def scenes_of_tiles(tiles: Iterable[Tile]) -> list[Scene]:
    """Return every scan of a sheet, in its order."""
    return list(dict.fromkeys(Scene(t.scene, t.channel, t.split) for t in tiles))


def simulated_tiles(acquisition: StageAcquisition, scenes: Sequence[Scene]) -> list[Tile]:
    """Return the tiles of simulated scans; their files are the simulator's."""
    scans = {"input": acquisition.scan.input, "target": acquisition.scan.target}
    rows = max(scan.rows for scan in scans.values())
    columns = max(scan.columns for scan in scans.values())
    tiles = []
    for scene in scenes:
        for row in range(rows):
            for column in range(columns):
                files: dict[str, Any] = {
                    role: RawFile(f"{tile_name(scene.name, row, column)}.tif")
                    for role, scan in scans.items()
                    if row < scan.rows and column < scan.columns
                }
                place = (row, column)
                tiles.append(Tile(scene.name, scene.channel, scene.split, place, **files))
    return tiles
