"""The mosaic that the tiles of a stage scan make.

Convention: a tile's position is that of its top-left pixel in the mosaic, (y, x) in pixels, the
least of each axis 0: the value at ``tile[i, j]`` belongs at ``mosaic[i + y, j + x]``.
"""

from collections.abc import Mapping

import numpy as np

from crossres.registration.shift import apply_shift

Tile = tuple[int, int]
"""(row, column) of a tile in the grid; rows run along y, columns along x."""


def assemble_mosaic(
    tiles: Mapping[Tile, np.ndarray],
    positions_px: Mapping[Tile, tuple[float, float]],
    feather_px: float = 16.0,
) -> np.ndarray:
    """Put the tiles together at their positions.

    Every tile is moved by the fraction of its position, once, with a cubic spline. A pixel in an
    overlap comes from the tile in which it lies deepest; across the line between two tiles one
    fades into the other, in counts, and no grey value is changed elsewhere.

    Parameters
    ----------
    tiles
        Images (Y, X) of one shape by (row, column).
    positions_px
        (y, x) of every tile, as of :func:`locate_tiles`.
    feather_px
        Width of the fade across the line; where the overlap is narrower, its width.

    Returns
    -------
    ndarray
        (Y, X) float32, the largest box around all tiles; 0 where no tile lies.
    """
    shape = next(iter(tiles.values())).shape
    first, second = _two_deepest(positions_px, shape)
    width = np.minimum(max(feather_px, 1e-3), first)
    total = np.zeros(first.shape, dtype=np.float32)
    weights = np.zeros(first.shape, dtype=np.float32)
    for tile in sorted(positions_px):
        window, depth, fraction = _placed(positions_px[tile], shape)
        best, other = first[window], second[window]
        rival = np.where(depth >= best, other, best)
        share = np.clip(0.5 + (depth - rival) / (2 * width[window]), 0.0, 1.0)
        total[window] += share * apply_shift(tiles[tile], fraction)
        weights[window] += share
    return np.divide(total, weights, out=total, where=weights > 0)


def tile_of_pixel(
    positions_px: Mapping[Tile, tuple[float, float]], shape: tuple[int, int]
) -> np.ndarray:
    """Tell which tile each pixel of the mosaic comes from.

    Parameters
    ----------
    positions_px
        (y, x) of every tile, as of :func:`locate_tiles`.
    shape
        (Y, X) of a tile.

    Returns
    -------
    ndarray
        (Y, X) int32 of the mosaic's shape: the tile's index in ``sorted(positions_px)``, -1
        where no tile lies. Within a feather it is the tile of the larger share.
    """
    deepest = np.zeros(_mosaic_shape(positions_px, shape), dtype=np.float32)
    index = np.full(deepest.shape, -1, dtype=np.int32)
    for number, tile in enumerate(sorted(positions_px)):
        window, depth, _ = _placed(positions_px[tile], shape)
        deeper = depth > deepest[window]
        index[window][deeper] = number
        deepest[window][deeper] = depth[deeper]
    return index


def _mosaic_shape(
    positions_px: Mapping[Tile, tuple[float, float]], shape: tuple[int, ...]
) -> tuple[int, int]:
    """Return the shape of the box around all tiles at their whole-pixel positions."""
    last = np.max([_whole(position) for position in positions_px.values()], axis=0)
    return int(last[0]) + shape[0], int(last[1]) + shape[1]


def _whole(position_px: tuple[float, float]) -> np.ndarray:
    """Return the pixel nearest to a position."""
    return np.floor(np.asarray(position_px, dtype=float) + 0.5).astype(int)


def _placed(
    position_px: tuple[float, float], shape: tuple[int, ...]
) -> tuple[tuple[slice, slice], np.ndarray, tuple[float, float]]:
    """Return a tile's place in the mosaic, how deep each pixel lies in it, and the rest to move.

    A pixel's depth is the distance of its centre from the tile's nearest edge, in px.
    """
    whole = _whole(position_px)
    fraction = np.asarray(position_px, dtype=float) - whole
    depths = []
    for n, part in zip(shape, fraction, strict=True):
        centre = np.arange(n) + 0.5 - part
        # the outermost centre may lie on the edge; it is still the tile's
        depths.append(np.maximum(np.minimum(centre, n - centre), 1e-3).astype(np.float32))
    window = (slice(whole[0], whole[0] + shape[0]), slice(whole[1], whole[1] + shape[1]))
    return window, np.minimum.outer(*depths), (float(fraction[0]), float(fraction[1]))


def _two_deepest(
    positions_px: Mapping[Tile, tuple[float, float]], shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest and the second largest depth of each pixel of the mosaic, 0 for none."""
    first = np.zeros(_mosaic_shape(positions_px, shape), dtype=np.float32)
    second = np.zeros_like(first)
    for tile in sorted(positions_px):
        window, depth, _ = _placed(positions_px[tile], shape)
        second[window] = np.maximum(second[window], np.minimum(first[window], depth))
        first[window] = np.maximum(first[window], depth)
    return first, second
