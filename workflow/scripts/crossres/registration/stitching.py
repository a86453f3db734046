"""Where the tiles of a stage scan lie in their mosaic, and the mosaic itself.

Convention: a tile's position is that of its top-left pixel in the mosaic, (y, x) in pixels, the
least of each axis 0: the value at ``tile[i, j]`` belongs at ``mosaic[i + y, j + x]``.

The library multiview-stitcher finds the shift of every pair of neighbours by phase correlation
and resolves them into positions, leaving out pairs that contradict others; it is right within
about a pixel (0.2 px rms at an overlap of 20 %, 0.4 px at 10 %, by benchmarks/stitching.py).
From there on the work is ours: the overlap of every pair is cut where the library puts it and
located by the Gaussian peak of its normalised cross-correlation, pairs that correlate no better
than mirrored strips are left out, and the positions are the least squares of the rest, each
weighted by what its strips can tell along either axis.

References: Albert, multiview-stitcher, doi:10.5281/zenodo.13151252; for positions from pairs,
Preibisch et al., Bioinformatics 25, 1463 (2009).
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import ConstantInputWarning

from crossres.jobs import InputError
from crossres.registration.shift import (
    apply_shift,
    locate_correlation_peak,
    normalised_cross_correlation,
)

Tile = tuple[int, int]
"""(row, column) of a tile in the grid; rows run along y, columns along x."""

OVERLAP_RANGE = (0.03, 0.6)
"""Overlaps that are looked for where none is given: a stage scan with less cannot be aligned,
one with more would see every place thrice along an axis."""

STAGE_REACH = 0.1
"""A neighbour farther than this part of the tile from its place in the grid is a mistake: it
leaves room for a camera turned by five degrees against its stage."""

STAGE_ERROR = 0.05
"""How far, as part of the tile, a tile may stand from its place in the grid where nothing else
tells: the weight of the grid against what the tiles show, and next to none."""

SEARCH_SIDE_PX = 320
"""Tiles are binned to no more than this for finding an unknown overlap: only the step is wanted."""

SEARCH_PAIRS = 8
"""Pairs of neighbours looked at for each axis in finding an unknown overlap."""

LIBRARY_SIDE_PX = 1024
"""Tiles are binned to no more than this for the library, whose time grows with the pixels: what
it loses of precision is well within REACH_PX."""

SMOOTHING_PX = 1.0
"""Sigma of the smoothing before tiles are compared: it takes most of the pixel noise, which
halves the error of dim scans, and little of what any objective resolves."""

REACH_PX = 4
"""How far from where the library puts it a neighbour is looked for, at each of the rounds."""

ROUNDS = 4
"""Most times that an overlap is cut anew where its neighbour was found."""

SETTLED_PX = 0.75
"""A neighbour found within this of where its overlap was cut needs no other cut."""

LEAST_STRIP_PX = 6
"""Overlaps narrower than this are not compared."""

LEAST_PART = 0.5
"""A pair that overlaps by less than this part of what the grid says is not believed."""

CORRELATION_RANGE = (0.5, 0.75)
"""What a pair must correlate to be believed: half as much again as mirrored, so surely unrelated,
strips of the same scan do, within this range. Noise alone stays below it, and pairs of sharp
tiles correlate by more than 0.9."""

LEAST_ERROR_PX = 0.02
"""No pair is believed to be located better than this."""

PAIR_ERROR_PX = 0.3
"""Error that correct pairs may have besides that of their noise; a pair off by five times as much
and its noise contradicts the others and is left out."""


@dataclass(frozen=True)
class TileEdge:
    """What two neighbouring tiles say about each other.

    Parameters
    ----------
    tiles
        The two tiles; the second lies right of the first, or below it.
    offset_px
        Measured position of the second tile less that of the first, (dy, dx).
    correlation
        Pearson's correlation of their overlap at that offset, -1 to 1.
    residual_px
        Distance of the measured offset from that of the final positions.
    accepted
        Whether the pair took part in the final positions.
    """

    tiles: tuple[Tile, Tile]
    offset_px: tuple[float, float]
    correlation: float
    residual_px: float
    accepted: bool


@dataclass(frozen=True)
class TilePositions:
    """Positions of all tiles with what says how far to believe them.

    Parameters
    ----------
    positions_px
        (y, x) of every tile's top-left pixel in the mosaic, the least of each axis 0.
    edges
        What every pair of neighbours said.
    placed_by_grid
        Tiles that no believed pair ties to the largest part of the mosaic, such as blank ones:
        they stand where the regular grid that fits the others puts them.
    overlap
        Median overlap of neighbours along y and along x, as part of the tile; nan along an axis
        without neighbours.
    """

    positions_px: dict[Tile, tuple[float, float]]
    edges: tuple[TileEdge, ...]
    placed_by_grid: tuple[Tile, ...]
    overlap: tuple[float, float]


@dataclass(frozen=True)
class _Pair:
    """A pair of neighbours as measured.

    Its information is the inverse covariance of its offset, (2, 2) in 1 / px^2.
    """

    tiles: tuple[Tile, Tile]
    offset_px: np.ndarray
    correlation: float
    information: np.ndarray
    by_chance: tuple[float, ...]

    @property
    def axis(self) -> int:
        """0 where the second tile lies below the first, 1 where it lies to the right."""
        return _axis(self.tiles)


def locate_tiles(tiles: Mapping[Tile, np.ndarray], overlap: float | None) -> TilePositions:
    """Find where the tiles of a stage scan lie, to a fraction of a pixel.

    What the library does of it and what we do, the module says.
    Tiles are known by row and column, so the order in which the stage took them does not matter.

    Parameters
    ----------
    tiles
        Images (Y, X) of one shape by (row, column); places of the grid may be missing.
    overlap
        Nominal overlap of neighbours as part of the tile, along both axes; None: unknown, then
        found from the tiles.

    Returns
    -------
    TilePositions
        Positions, pairs, and the tiles placed by the grid alone.

    Raises
    ------
    InputError
        No tiles, tiles that are not images of one shape, or no two neighbours that correlate.
    """
    shape = _common_shape(tiles, overlap)
    if len(tiles) == 1:
        nowhere = float("nan")
        return TilePositions({next(iter(tiles)): (0.0, 0.0)}, (), (), (nowhere, nowhere))
    images = {tile: _smoothed(tiles[tile]) for tile in sorted(tiles)}
    pairs = _neighbours(images)
    steps = _find_steps(images, pairs) if overlap is None else np.diag(shape) * (1 - overlap)
    grid = {tile: np.array(tile) @ steps for tile in images}
    found = _measure_pairs(images, pairs, grid)
    needed = _needed_correlation(found)
    believed = np.array([_is_believable(pair, needed, grid, shape) for pair in found])
    if not believed.any():
        _refuse_unrelated(found, needed, overlap, 1 - np.diag(steps) / shape)
    positions, believed = _solve_consistent(list(images), found, believed, steps, max(shape))
    return _described(positions, found, believed, shape)


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


def _common_shape(tiles: Mapping[Tile, np.ndarray], overlap: float | None) -> tuple[int, int]:
    """Return the shape of all tiles, or say what is wrong with them."""
    if not tiles:
        raise InputError("Stitching found no tiles, where at least 1 is needed: list its files.")
    shapes = {tile: np.shape(tiles[tile]) for tile in sorted(tiles)}
    first, shape = next(iter(shapes.items()))
    for tile, other in shapes.items():
        if len(other) != 2:
            raise InputError(
                f"Tile {tile} has shape {other}, where an image (Y, X) is expected: give one plane "
                "of one channel."
            )
        if other != shape:
            raise InputError(
                f"Tile {tile} is {other[0]} x {other[1]} px, where tile {first} is {shape[0]} x "
                f"{shape[1]} px: all tiles of a scan must have one shape; correct the sheet's rows."
            )
        if not np.all(np.isfinite(tiles[tile])):
            raise InputError(
                f"Tile {tile} contains values that are not finite, where counts are expected: "
                "replace them in the file."
            )
    if overlap is not None and not 0 < overlap < 1:
        raise InputError(
            f"The overlap of the tiles is {overlap:g}, where a part of the tile between 0 and 1 "
            "is expected: correct it, or leave it out to have it found."
        )
    return shape


def _smoothed(tile: np.ndarray) -> np.ndarray:
    """Return a tile with less noise and without its outermost pixels.

    Those mix with their own mirror image in smoothing, and pull the peak of a narrow overlap.
    """
    return gaussian_filter(np.asarray(tile, dtype=np.float32), SMOOTHING_PX)[1:-1, 1:-1]


def _neighbours(tiles: Mapping[Tile, np.ndarray]) -> list[tuple[Tile, Tile]]:
    """Return the pairs of tiles next to each other, the left or upper one first."""
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


def _axis(pair: tuple[Tile, Tile]) -> int:
    """Return 0 where the second tile lies below the first, 1 where it lies to the right."""
    return 0 if pair[1][0] > pair[0][0] else 1


def _find_steps(
    images: Mapping[Tile, np.ndarray], pairs: Sequence[tuple[Tile, Tile]]
) -> np.ndarray:
    """Find the steps of the grid from one row and one column to the next.

    Returns
    -------
    ndarray
        (2, 2): the step (dy, dx) to the next row, and that to the next column. An axis without a
        pair that shows its step takes the other axis' overlap.
    """
    shape = np.array(next(iter(images.values())).shape)
    bin_px = int(np.ceil(shape.max() / SEARCH_SIDE_PX))
    binned = {tile: _bin(image, bin_px) for tile, image in images.items()}
    contrast = {tile: float(np.std(image)) for tile, image in binned.items()}
    candidates: list[list[tuple[float, np.ndarray]]] = [[], []]
    for axis in (0, 1):
        along = [pair for pair in pairs if _axis(pair) == axis]
        along.sort(key=lambda pair: -min(contrast[pair[0]], contrast[pair[1]]))
        for first, second in along[:SEARCH_PAIRS]:
            score, offset = _strongest_offset(binned[first], binned[second], axis)
            candidates[axis].append((score, offset * bin_px))
    best = max((score for axis in candidates for score, _ in axis), default=0.0)
    steps: list[np.ndarray | None] = []
    for axis in (0, 1):
        strong = [offset for score, offset in candidates[axis] if score >= best / 2]
        steps.append(np.median(strong, axis=0) if strong else None)
    parts = [step[axis] / shape[axis] for axis, step in enumerate(steps) if step is not None]
    part = float(np.mean(parts)) if parts else 1 - OVERLAP_RANGE[0]
    regular = np.diag(shape) * part
    return np.array([regular[a] if step is None else step for a, step in enumerate(steps)])


def _strongest_offset(first: np.ndarray, second: np.ndarray, axis: int) -> tuple[float, np.ndarray]:
    """Return the most significant offset of a neighbour along an axis, and its significance.

    A correlation r of n pixels is worth r sqrt(n): by r alone, narrow overlaps would win by
    chance.
    """
    shape = np.array(first.shape)
    reach = int((1 - OVERLAP_RANGE[0]) * shape[axis])
    with np.errstate(divide="ignore", invalid="ignore"):
        # of tiles that are not square, some shifts leave no overlap; they are not looked at
        ncc = normalised_cross_correlation(first, second, reach)
    side = min(int(STAGE_REACH * shape.max()), int(shape[1 - axis]) - 1, reach)
    ranges = [np.arange(-side, side + 1)] * 2
    ranges[axis] = np.arange(int((1 - OVERLAP_RANGE[1]) * shape[axis]), reach + 1)
    count = np.multiply.outer(shape[0] - np.abs(ranges[0]), shape[1] - np.abs(ranges[1]))
    score = ncc[np.ix_(ranges[0] + reach, ranges[1] + reach)] * np.sqrt(count)
    y, x = np.unravel_index(int(np.argmax(score)), score.shape)
    return float(score[y, x]), np.array([ranges[0][y], ranges[1][x]], dtype=float)


def _bin(image: np.ndarray, bin_px: int) -> np.ndarray:
    """Return the means of squares of bin_px pixels; an incomplete rest is left out."""
    rows, columns = (n // bin_px for n in image.shape)
    whole = image[: rows * bin_px, : columns * bin_px]
    return whole.reshape(rows, bin_px, columns, bin_px).mean(axis=(1, 3))


def _positions_by_library(
    images: Mapping[Tile, np.ndarray],
    pairs: Sequence[tuple[Tile, Tile]],
    grid: Mapping[Tile, np.ndarray],
) -> dict[Tile, np.ndarray]:
    """Return the positions that multiview-stitcher gives, starting from those of the grid."""
    # loading it takes seconds, which only those who stitch should wait
    import dask
    from multiview_stitcher import msi_utils, mv_graph, registration, spatial_image_utils

    order = {tile: number for number, tile in enumerate(images)}
    bin_px = int(np.ceil(max(next(iter(images.values())).shape) / LIBRARY_SIDE_PX))
    views = []
    for tile, image in images.items():
        view = spatial_image_utils.get_sim_from_array(
            _bin(image, bin_px),
            dims=["y", "x"],
            scale={"y": float(bin_px), "x": float(bin_px)},
            translation={"y": float(grid[tile][0]), "x": float(grid[tile][1])},
            transform_key="grid",
        )
        views.append(msi_utils.get_msim_from_sim(view, scale_factors=[]))
    with warnings.catch_warnings(), dask.config.set(scheduler="synchronous"):
        # overlaps that are constant, or become so where they meet, are answered by the grid
        warnings.filterwarnings("ignore", message="An overlap region between tiles")
        warnings.filterwarnings("ignore", category=ConstantInputWarning)
        try:
            transforms = registration.register(
                views,
                transform_key="grid",
                reg_channel_index=0,
                pairs=[(order[a], order[b]) for a, b in pairs],
                pre_registration_pruning_method=None,
                post_registration_do_quality_filter=True,
            )
        except mv_graph.NotEnoughOverlapError:
            return dict(grid)
    moved = (np.asarray(transform).reshape(3, 3)[:2, 2] for transform in transforms)
    return {tile: grid[tile] + shift for tile, shift in zip(images, moved, strict=True)}


def _measure_pairs(
    images: Mapping[Tile, np.ndarray],
    pairs: Sequence[tuple[Tile, Tile]],
    grid: Mapping[Tile, np.ndarray],
) -> list[_Pair]:
    """Locate every pair around where the library puts it, or the grid where that is far off."""
    side = max(next(iter(images.values())).shape)
    coarse = _positions_by_library(images, pairs, grid)
    found = []
    for first, second in pairs:
        start, regular = coarse[second] - coarse[first], grid[second] - grid[first]
        near = np.all(np.abs(start - regular) <= STAGE_REACH * side)
        found.append(_locate_pair(images, (first, second), start if near else regular))
    return found


def _locate_pair(
    images: Mapping[Tile, np.ndarray], tiles: tuple[Tile, Tile], offset_px: np.ndarray
) -> _Pair:
    """Locate a tile's neighbour around an offset."""
    first, second = images[tiles[0]], images[tiles[1]]
    pair = _Pair(tiles, np.asarray(offset_px, dtype=float), 0.0, np.zeros((2, 2)), (0.0,))
    for _ in range(ROUNDS):
        whole = np.round(pair.offset_px).astype(int)
        a, b = _overlap_strips(first, second, whole)
        if min(a.shape) < LEAST_STRIP_PX:
            break
        peak = locate_correlation_peak(a, b, max_shift_px=REACH_PX)
        pair = _Pair(
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
    return (axes * np.clip(values, 0.0, LEAST_ERROR_PX**-2)) @ axes.T


def _chance_correlations(first: np.ndarray, second: np.ndarray) -> tuple[float, ...]:
    """Return the peaks of a strip with the other's mirror images.

    They are of the same texture and surely not of the same place.
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


def _needed_correlation(found: Sequence[_Pair]) -> float:
    """Return what a pair must correlate, from what unrelated strips of the same scan reach."""
    most = max((value for pair in found for value in pair.by_chance), default=0.0)
    return float(np.clip(1.5 * most, *CORRELATION_RANGE))


def _is_believable(
    pair: _Pair, needed: float, grid: Mapping[Tile, np.ndarray], shape: tuple[int, int]
) -> bool:
    """Tell whether a pair lies near the grid and correlates as needed, and more than by chance."""
    regular = grid[pair.tiles[1]] - grid[pair.tiles[0]]
    near = np.max(np.abs(pair.offset_px - regular)) <= STAGE_REACH * max(shape)
    # the narrower the strip, the higher it correlates by chance
    width = shape[pair.axis] - abs(pair.offset_px[pair.axis])
    part = width / max(shape[pair.axis] - abs(regular[pair.axis]), 1.0)
    if not near or part < LEAST_PART:
        return False
    needed = min(needed / np.sqrt(min(part, 1.0)), CORRELATION_RANGE[1])
    return bool(pair.correlation >= max(needed, *pair.by_chance))


def _refuse_unrelated(
    found: Sequence[_Pair], needed: float, overlap: float | None, tried: np.ndarray
) -> None:
    """Say that no two tiles show the same place, and what to do."""
    best = max((pair.correlation for pair in found), default=0.0)
    if overlap is None:
        at = f"at the overlaps that fit best, {tried[0]:.0%} along y and {tried[1]:.0%} along x"
        advice = "give the overlap that was set at the microscope"
    else:
        at = f"at an overlap of {overlap:.0%}"
        advice = "correct the overlap, or leave it out to have it found"
    raise InputError(
        f"No two neighbouring tiles show the same place: the best of {len(found)} pairs "
        f"correlates {best:.2f} {at}, where {needed:.2f} near its place in the grid is needed; "
        f"{advice}, and check the row and column of every tile."
    )


def _solve_consistent(
    tiles: Sequence[Tile],
    found: Sequence[_Pair],
    believed: np.ndarray,
    steps: np.ndarray,
    side: int,
) -> tuple[dict[Tile, np.ndarray], np.ndarray]:
    """Return positions and the pairs they rest on, after leaving out those that contradict."""
    believed = believed.copy()
    while True:
        positions = _solve(tiles, found, believed, steps, side)
        misfits = np.array([_misfit(positions, pair) for pair in found])
        worst = int(np.argmax(np.where(believed, misfits, 0.0)))
        if not believed[worst] or misfits[worst] <= 5:
            break
        believed[worst] = False
    loose = _loose_tiles(tiles, [p.tiles for p, b in zip(found, believed, strict=True) if b])
    held = {tile: positions[tile] for tile in tiles if tile not in loose}
    return _solve(tiles, found, believed, _fitted_steps(held, steps), side), believed


def _fitted_steps(held: Mapping[Tile, np.ndarray], nominal: np.ndarray) -> np.ndarray:
    """Return the steps of the grid that fits the held tiles.

    The nominal steps count as much as one more tile a step away, as those of a few tiles follow
    their stage's errors.
    """
    places, positions = np.array(list(held), dtype=float), np.array(list(held.values()))
    places -= places.mean(axis=0)
    positions = positions - positions.mean(axis=0) - places @ nominal
    return nominal + np.linalg.solve(places.T @ places + np.eye(2), places.T @ positions)


def _solve(
    tiles: Sequence[Tile],
    found: Sequence[_Pair],
    believed: np.ndarray,
    steps: np.ndarray,
    side: int,
) -> dict[Tile, np.ndarray]:
    """Return the most likely positions, (y, x) px, the least of each axis 0.

    Believed pairs count by their information, the grid by the errors that a stage may make: it
    moves no tile that a pair holds, and places the others.
    """
    number = {tile: n for n, tile in enumerate(tiles)}
    grid_information = 1 / (STAGE_ERROR * side) ** 2
    matrix = np.zeros((len(tiles), 2, len(tiles), 2))
    target = grid_information * (np.array(tiles) @ steps)
    for n in range(len(tiles)):
        matrix[n, :, n, :] = grid_information * np.eye(2)
    for pair, used in zip(found, believed, strict=True):
        if not used:
            continue
        a, b = number[pair.tiles[0]], number[pair.tiles[1]]
        for one, other in ((a, b), (b, a)):
            matrix[one, :, one, :] += pair.information
            matrix[one, :, other, :] -= pair.information
        pull = pair.information @ pair.offset_px
        target[b] += pull
        target[a] -= pull
    size = 2 * len(tiles)
    solved = np.linalg.solve(matrix.reshape(size, size), target.ravel()).reshape(-1, 2)
    return dict(zip(tiles, solved - solved.min(axis=0), strict=True))


def _residual(positions: Mapping[Tile, np.ndarray], pair: _Pair) -> np.ndarray:
    """Return a pair's offset less that of the positions, (dy, dx) px."""
    first, second = pair.tiles
    return pair.offset_px - (positions[second] - positions[first])


def _misfit(positions: Mapping[Tile, np.ndarray], pair: _Pair) -> float:
    """Return how many standard deviations a pair's offset is from that of the positions."""
    blind = 1e-4 * np.eye(2)  # an error of 100 px, for directions the pair does not see at all
    covariance = np.linalg.inv(pair.information + blind) + PAIR_ERROR_PX**2 * np.eye(2)
    residual = _residual(positions, pair)
    return float(np.sqrt(residual @ np.linalg.solve(covariance, residual)))


def _described(
    positions: Mapping[Tile, np.ndarray],
    found: Sequence[_Pair],
    believed: np.ndarray,
    shape: tuple[int, int],
) -> TilePositions:
    """Put positions and pairs into what is handed out."""
    edges = tuple(
        TileEdge(
            tiles=pair.tiles,
            offset_px=(float(pair.offset_px[0]), float(pair.offset_px[1])),
            correlation=float(pair.correlation),
            residual_px=float(np.linalg.norm(_residual(positions, pair))),
            accepted=bool(b),
        )
        for pair, b in zip(found, believed, strict=True)
    )
    overlap = []
    for axis in (0, 1):
        along = [
            (positions[p.tiles[1]] - positions[p.tiles[0]])[axis] for p in found if p.axis == axis
        ]
        overlap.append(1 - float(np.median(along)) / shape[axis] if along else float("nan"))
    return TilePositions(
        positions_px={tile: (float(y), float(x)) for tile, (y, x) in positions.items()},
        edges=edges,
        placed_by_grid=_loose_tiles(
            list(positions), [edge.tiles for edge in edges if edge.accepted]
        ),
        overlap=(overlap[0], overlap[1]),
    )


def _loose_tiles(tiles: Sequence[Tile], links: Sequence[tuple[Tile, Tile]]) -> tuple[Tile, ...]:
    """Return the tiles outside the largest part that links hold together."""
    number = {tile: n for n, tile in enumerate(tiles)}
    ends = np.array([[number[tile] for tile in link] for link in links], dtype=int).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends)), ends.T), shape=(len(tiles), len(tiles)))
    _, part = connected_components(graph, directed=False)
    largest = int(np.argmax(np.bincount(part)))
    return tuple(tile for tile, p in zip(tiles, part, strict=True) if p != largest)


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
