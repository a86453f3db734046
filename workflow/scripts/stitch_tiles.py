"""Stitch the tiles of every stage scan of a batch into a mosaic."""

from pathlib import Path

from crossres.experiments import tile_name
from crossres.images import Image, read_image, read_scene_table, write_image
from crossres.jobs import InputError, logger, progress
from crossres.stitching import assemble_mosaic


def stitch_tiles(source: Path, positions: Path, folder: Path) -> None:
    """Write <scene>.ome.tif, the mosaic of each scene.

    Parameters
    ----------
    source
        Folder of the tiles.
    positions
        Where they lie, as locate_tiles found, perhaps in another channel, whose tiles were taken
        at the same stops of the stage.
    folder
        Where to.

    Raises
    ------
    InputError
        A tile that was located is missing.
    """
    for scene, table in progress(list(read_scene_table(positions)), "stitching scenes"):
        places = {
            (tile.tile_row, tile.tile_col): (tile.y_px, tile.x_px) for tile in table.itertuples()
        }
        tiles = {place: read_tile(source, scene, *place) for place in places}
        first = next(iter(tiles.values()))
        for (row, column), tile in tiles.items():
            require_same_size(tile, first, source / f"{tile_name(scene, row, column)}.ome.tif")
        mosaic = assemble_mosaic({place: tile.array for place, tile in tiles.items()}, places)
        # what was said of a tile's one plane is not true of all
        write_image(folder / f"{scene}.ome.tif", first.like(mosaic, corner_px=(0, 0), planes={}))
        logger.info("%s: %d x %d px of %d tiles", scene, *mosaic.shape, len(tiles))


def read_tile(source: Path, scene: str, row: int, column: int) -> Image:
    """Read a tile that was located."""
    path = source / f"{tile_name(scene, row, column)}.ome.tif"
    if not path.exists():
        raise InputError(
            f"{source}: scene {scene} has no tile in row {row}, column {column}, which the channel "
            "that it is placed by has; scan the same tiles in all channels, or set "
            "source.stitch.channel to null"
        )
    return read_image(path)


def require_same_size(tile: Image, first: Image, path: Path) -> None:
    """Refuse a tile of another size than its scene's first."""
    found, expected = (" x ".join(map(str, image.array.shape)) for image in (tile, first))
    if found != expected:
        raise InputError(
            f"{path}: has {found} pixels, the scene's other tiles have {expected}; export all "
            "tiles of a scan at one size"
        )


if __name__ == "__main__":
    from crossres.jobs import limit_threads, run

    job = snakemake
    limit_threads(job.threads)
    run(
        stitch_tiles,
        job.log[0],
        source=Path(job.input.tiles),
        positions=Path(job.input.positions),
        folder=Path(job.output[0]),
    )
