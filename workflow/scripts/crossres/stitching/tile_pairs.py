"""Measuring the offset of neighbouring tiles of a stage scan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from crossres.jobs import InputError
from crossres.registration.shift import locate_correlation_peak, normalised_cross_correlation
from crossres.stitching.mosaic import Tile
from crossres.stitching.tile_steps import STAGE_REACH, axis_of, positions_by_library

SMOOTHING_PX = 1.0
"""Sigma of the smoothing before tiles are compared. It removes most pixel noise, which halves the
error of dim scans, and little of what any objective resolves."""

REACH_PX = 4
"""Search radius around the library's offset, in each round."""

ROUNDS = 4
"""Most times that an overlap is cut again at the offset just found."""

SETTLED_PX = 0.75
"""The overlap is not cut again if the offset changed by less than this."""

LEAST_STRIP_PX = 6
"""Overlaps narrower than this are not compared."""

LEAST_PART = 0.5
"""A pair is rejected if its overlap is less than this part of the grid's."""

CORRELATION_RANGE = (0.5, 0.75)
"""Range of the correlation that a pair needs: 1.5 times that of mirrored, so unrelated, strips of
the same scan. Noise alone stays below it; pairs of sharp tiles exceed 0.9."""

LEAST_ERROR_PX = 0.02
"""Lower limit of the error of a pair."""

PAIR_ERROR_PX = 0.3
"""Error of correct pairs beside that of noise. A pair off by five times both contradicts the others
and is left out."""


@dataclass(frozen=True)
class TilePair:
    """A pair of neighbours as measured.

    Attributes
    ----------
    tiles
        The (row, column) of the first, left or upper, tile and of the second.
    offset_px
        (2,): where the second tile's corner lies from that of the first, (dy, dx) in px.
    correlation
        Pearson's r of the overlap at that offset, from -1 to 1.
    information
        (2, 2): the inverse covariance of the offset, in 1 / px^2.
    by_chance
        The highest r of the overlap with mirror images of itself, which show another place.
    """

    tiles: tuple[Tile, Tile]
    offset_px: np.ndarray
    correlation: float
    information: np.ndarray
    by_chance: tuple[float, ...]

    @property
    def axis(self) -> int:
        """0 where the second tile lies below the first, 1 where it lies to the right."""
        return axis_of(self.tiles)


def smoothed(tile: np.ndarray) -> np.ndarray:
    """Return a tile with less noise and without its outermost pixels.

    Those mix with their own mirror image in smoothing, and pull the peak of a narrow overlap.

    Parameters
    ----------
    tile
        (Y, X), any unit.

    Returns
    -------
    ndarray
        (Y - 2, X - 2), float32, in the same unit.
    """
    whole: np.ndarray = gaussian_filter(np.asarray(tile, dtype=np.float32), SMOOTHING_PX)
    return whole[1:-1, 1:-1]


def neighbours(tiles: Mapping[Tile, np.ndarray]) -> list[tuple[Tile, Tile]]:
    """Return the pairs of tiles next to each other, the left or upper one first.

    Parameters
    ----------
    tiles
        (Y, X) images by (row, column) in the stage's grid.

    Returns
    -------
    list of tuple
        Pairs of (row, column), in the order of rows and columns.

    Raises
    ------
    InputError
        No tile lies next to another.
    """
    pairs = []
    for row, column in sorted(tiles):
        for other in ((row, column + 1), (row + 1, column)):
            if other in tiles:
                pairs.append(((row, column), other))
    if not pairs:
        raise InputError(
            f"None of the {len(tiles)} tiles lies next to another, where neighbours must overlap: "
            "correct the row and column of every tile."
        )
    return pairs


def measure_pairs(
    images: Mapping[Tile, np.ndarray],
    pairs: Sequence[tuple[Tile, Tile]],
    grid: Mapping[Tile, np.ndarray],
) -> list[TilePair]:
    """Locate every pair near the library's offset, or the grid's where that is far off.

    Parameters
    ----------
    images
        (Y, X) images by tile, all of one size, any unit.
    pairs
        The neighbours to compare.
    grid
        Nominal corner of each tile, (y, x) in px.

    Returns
    -------
    list of TilePair
        One for each of the pairs, in their order; its information is zero where the overlap was
        too narrow to compare.
    """
    side = max(next(iter(images.values())).shape)
    coarse = positions_by_library(images, pairs, grid)
    found = []
    for first, second in pairs:
        start, regular = coarse[second] - coarse[first], grid[second] - grid[first]
        near = np.all(np.abs(start - regular) <= STAGE_REACH * side)
        found.append(_locate_pair(images, (first, second), start if near else regular))
    return found


def _locate_pair(
    images: Mapping[Tile, np.ndarray], tiles: tuple[Tile, Tile], offset_px: np.ndarray
) -> TilePair:
    """Locate a tile's neighbour around an offset."""
    first, second = images[tiles[0]], images[tiles[1]]
    pair = TilePair(tiles, np.asarray(offset_px, dtype=float), 0.0, np.zeros((2, 2)), (0.0,))
    for _ in range(ROUNDS):
        whole = np.round(pair.offset_px).astype(int)
        a, b = _overlap_strips(first, second, whole)
        if min(a.shape) < LEAST_STRIP_PX:
            break
        peak = locate_correlation_peak(a, b, max_shift_px=REACH_PX)
        pair = TilePair(
            tiles,
            whole + np.asarray(peak.shift_px),
            peak.correlation,
            _information(a, b, peak.correlation),
            _chance_correlations(a, b),
        )
        if np.max(np.abs(peak.shift_px)) <= SETTLED_PX:
            break
    return pair


def _information(first: np.ndarray, second: np.ndarray, correlation: float) -> np.ndarray:
    """Return the inverse covariance of the offset between two strips, (2, 2) in 1 / px^2.

    A strip that shows a lone filament is sharp across it and blind along it, however well it
    correlates. The gradients of one strip are multiplied with those of the other, as the noise
    of the two is independent and drops out.
    """
    slopes = []
    for strip in (first, second):
        spread = float(np.std(strip))
        slopes.append([g.ravel() / (spread or 1.0) for g in np.gradient(strip)])
    shared = np.array([[np.dot(a, b) for b in slopes[1]] for a in slopes[0]], dtype=float)
    noise = 2 * max(1 - correlation, 1e-3)
    # smoothing leaves one independent value of noise in so many pixels
    shared /= noise * 4 * np.pi * SMOOTHING_PX**2
    values, axes = np.linalg.eigh((shared + shared.T) / 2)
    limited: np.ndarray = (axes * np.clip(values, 0.0, LEAST_ERROR_PX**-2)) @ axes.T
    return limited


def _chance_correlations(first: np.ndarray, second: np.ndarray) -> tuple[float, ...]:
    """Return the peaks of a strip with the other's mirror images.

    They have the same texture and surely show another place.
    """
    along = int(np.argmax(first.shape))
    reach = min(REACH_PX + 2, min(first.shape) // 2)
    mirrored = (np.flip(second, axis=along), np.flip(second))
    return tuple(float(normalised_cross_correlation(first, m, reach).max()) for m in mirrored)


def _overlap_strips(
    first: np.ndarray, second: np.ndarray, offset: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the parts of two tiles that show one place, the second lying at a whole offset."""
    start = np.maximum(offset, 0)
    stop = np.maximum(np.minimum(first.shape, second.shape + offset), start)
    a, b = start - offset, stop - offset
    return first[start[0] : stop[0], start[1] : stop[1]], second[a[0] : b[0], a[1] : b[1]]


def needed_correlation(found: Sequence[TilePair]) -> float:
    """Return the correlation that a pair needs, from that of unrelated strips of the scan.

    Parameters
    ----------
    found
        All pairs of one scan.

    Returns
    -------
    float
        Pearson's r, within CORRELATION_RANGE.
    """
    most = max((value for pair in found for value in pair.by_chance), default=0.0)
    return float(np.clip(1.5 * most, *CORRELATION_RANGE))


def is_believable(
    pair: TilePair, needed: float, grid: Mapping[Tile, np.ndarray], shape: tuple[int, int]
) -> bool:
    """Tell whether a pair lies near the grid and correlates as needed, and more than by chance.

    Parameters
    ----------
    pair
        The pair as measured.
    needed
        Pearson's r that any pair of the scan needs (see :func:`needed_correlation`).
    grid
        Where each tile's corner lies if the stage moves as told, (y, x) in px.
    shape
        (Y, X) of a tile, in px.
    """
    regular = grid[pair.tiles[1]] - grid[pair.tiles[0]]
    near = np.max(np.abs(pair.offset_px - regular)) <= STAGE_REACH * max(shape)
    # the narrower the strip, the higher it correlates by chance
    width = shape[pair.axis] - abs(pair.offset_px[pair.axis])
    part = width / max(shape[pair.axis] - abs(regular[pair.axis]), 1.0)
    if not near or part < LEAST_PART:
        return False
    needed = min(needed / np.sqrt(min(part, 1.0)), CORRELATION_RANGE[1])
    return bool(pair.correlation >= max(needed, *pair.by_chance))


def pair_residual(positions: Mapping[Tile, np.ndarray], pair: TilePair) -> np.ndarray:
    """Return a pair's offset less that of the positions, (2,): (dy, dx) in px.

    Parameters
    ----------
    positions
        The corner of each tile, (y, x) in px.
    pair
        The pair as measured.
    """
    first, second = pair.tiles
    residual: np.ndarray = pair.offset_px - (positions[second] - positions[first])
    return residual


def pair_misfit(positions: Mapping[Tile, np.ndarray], pair: TilePair) -> float:
    """Return how many standard deviations a pair's offset is from that of the positions.

    Parameters
    ----------
    positions
        The corner of each tile, (y, x) in px.
    pair
        The pair as measured; besides its own covariance it may be off by PAIR_ERROR_PX.
    """
    blind = 1e-4 * np.eye(2)  # an error of 100 px, for directions that the pair does not constrain
    covariance = np.linalg.inv(pair.information + blind) + PAIR_ERROR_PX**2 * np.eye(2)
    residual = pair_residual(positions, pair)
    return float(np.sqrt(residual @ np.linalg.solve(covariance, residual)))
