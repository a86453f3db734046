"""Stage scans: the tiles that a microscope took, and the fields that they become."""

from collections.abc import Mapping, Sequence
from typing import Any

from crossres.experiments.sheets import Field

SPLITS = ("train", "validation", "test")


def tile_name(scene: str, row: int, column: int) -> str:
    """Return the name of a tile's file, such as scene_r0c1 for that in row 0, column 1."""
    return f"{scene}_r{row}c{column}"


def fields_of_scenes(
    scenes: Sequence[tuple[str, str, str]], grid: Mapping[str, int]
) -> list[Field]:
    """Return the fields that stage scans are cut into.

    Parameters
    ----------
    scenes
        (scene, channel, split) of each scan.
    grid
        ``source.stitch.fields``: ``rows`` and ``columns``.
    """
    return [
        Field(tile_name(scene, row, column), channel, split, scene=scene)
        for scene, channel, split in scenes
        for row in range(grid["rows"])
        for column in range(grid["columns"])
    ]


def simulated_scenes(simulator: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return (scene, channel, split) of every simulated scan."""
    return [
        (f"{split}_{number:03d}", channel, split)
        for channel in simulator["channels"]
        for split in SPLITS
        for number in range(simulator["scenes"][split])
    ]


def scenes_of_tiles(tiles: Sequence[Field]) -> list[tuple[str, str, str]]:
    """Return (scene, channel, split) of every scan of a sheet, in its order."""
    return list(dict.fromkeys((str(t.scene), t.channel, t.split) for t in tiles))


def simulated_tiles(
    simulator: Mapping[str, Any], scenes: Sequence[tuple[str, str, str]]
) -> list[Field]:
    """Return the tiles of simulated scans; their files are the simulator's."""
    reach = [simulator["scan"][role] for role in ("input", "target")]
    rows, columns = (max(scan[key] for scan in reach) for key in ("rows", "columns"))
    tiles = []
    for scene, channel, split in scenes:
        for row in range(rows):
            for column in range(columns):
                paths = {
                    role: f"{tile_name(scene, row, column)}.tif"
                    for role, scan in simulator["scan"].items()
                    if row < scan["rows"] and column < scan["columns"]
                }
                tiles.append(
                    Field(
                        tile_name(scene, row, column),
                        channel,
                        split,
                        paths.get("input"),
                        paths.get("target"),
                        scene=scene,
                        tile=(row, column),
                    )
                )
    return tiles
