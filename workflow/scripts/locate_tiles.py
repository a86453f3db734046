"""Find where the tiles of every stage scan of a batch lie."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from crossres.experiments import tile_name
from crossres.images import read_image
from crossres.jobs import InputError, logger, progress
from crossres.stitching import TilePositions
from crossres.stitching import locate_tiles as locate


def locate_tiles(
    source: Path, tiles: Sequence[tuple[str, int, int]], overlap: float | None, table: Path
) -> None:
    """Write the position of every tile in the mosaic of its scene.

    Parameters
    ----------
    source
        Folder of the tiles.
    tiles
        (scene, row, column) of each.
    overlap
        Nominal overlap of neighbours as part of a tile, or None.
    table
        Where to.

    Raises
    ------
    InputError
        Tiles that do not overlap, or differ in size.
    """
    rows = []
    for scene in progress(list(dict.fromkeys(tile[0] for tile in tiles)), "locating tiles"):
        images = {
            (row, column): read_image(source / f"{tile_name(scene, row, column)}.ome.tif").array
            for of, row, column in tiles
            if of == scene
        }
        try:
            found = locate(images, overlap)
        except InputError as error:
            raise InputError(f"{source}, scene {scene}: {error}") from error
        report(scene, found)
        for (row, column), (y, x) in found.positions_px.items():
            by_grid = (row, column) in found.placed_by_grid
            rows.append((scene, row, column, y, x, by_grid))
    columns = ["scene", "tile_row", "tile_col", "y_px", "x_px", "placed_by_grid"]
    table.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=columns).to_csv(table, index=False)


def report(scene: str, found: TilePositions) -> None:
    """Say how well the tiles of a scene fit together."""
    tied = [edge.residual_px for edge in found.edges if edge.accepted]
    logger.info(
        "%s: %d tiles, %d of %d pairs of neighbours tied, overlap %.1f %% in y and %.1f %% in x, "
        "pairs off the positions by %.2f px (rms)",
        scene,
        len(found.positions_px),
        len(tied),
        len(found.edges),
        *(100 * part for part in found.overlap),
        np.sqrt(np.mean(np.square(tied))) if tied else 0.0,
    )
    for row, column in found.placed_by_grid:
        logger.info(
            "%s: row %d, column %d shows nothing that its neighbours show: placed by the grid",
            scene,
            row,
            column,
        )


if __name__ == "__main__":
    from crossres.jobs import limit_threads, run

    job = snakemake
    limit_threads(job.threads)
    run(
        locate_tiles,
        job.log[0],
        source=Path(job.input[0]),
        tiles=[(s, int(r), int(c)) for s, r, c in job.params.tiles],
        overlap=job.params.overlap,
        table=Path(job.output[0]),
    )
