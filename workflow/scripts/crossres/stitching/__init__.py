"""The tiles of a stage scan: where they lie, and the mosaic that they make."""

from crossres.stitching.mosaic import Tile, assemble_mosaic, tile_of_pixel
from crossres.stitching.positions import TileEdge, TilePositions, locate_tiles

__all__ = [
    "Tile",
    "TileEdge",
    "TilePositions",
    "assemble_mosaic",
    "locate_tiles",
    "tile_of_pixel",
]
