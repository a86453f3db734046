"""Stitch the tiles of every stage scan of a batch into a mosaic."""

from pathlib import Path

from crossres.experiments import tile_name
from crossres.images import Image, read_image, read_scene_table, write_image
from crossres.jobs import InputError, logger, progress
from crossres.registration.mosaic import assemble_mosaic


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
        tiles, places, size_nm = {}, {}, None
        for tile in table.itertuples():
            path = source / f"{tile_name(scene, tile.tile_row, tile.tile_col)}.ome.tif"
            if not path.exists():
                raise InputError(
                    f"{source}: scene {scene} has no tile in row {tile.tile_row}, column "
                    f"{tile.tile_col}, which the channel that it is placed by has; scan the same "
                    "tiles in all channels, or set source.stitch.channel to null"
                )
            image = read_image(path)
            first = next(iter(tiles.values()), image.array)
            if image.array.shape != first.shape:
                sizes = [
                    f"{height} x {width}" for height, width in (image.array.shape, first.shape)
                ]
                raise InputError(
                    f"{path}: has {sizes[0]} pixels, the scene's other tiles have {sizes[1]}; "
                    "export all tiles of a scan at one size"
                )
            tiles[tile.tile_row, tile.tile_col] = image.array
            places[tile.tile_row, tile.tile_col] = (tile.y_px, tile.x_px)
            size_nm = image.pixel_size_nm
        mosaic = assemble_mosaic(tiles, places)
        write_image(folder / f"{scene}.ome.tif", Image(mosaic, "YX", size_nm))
        logger.info("%s: %d x %d px of %d tiles", scene, *mosaic.shape, len(tiles))


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    run(
        stitch_tiles,
        job.log[0],
        source=Path(job.input.tiles),
        positions=Path(job.input.positions),
        folder=Path(job.output[0]),
    )
