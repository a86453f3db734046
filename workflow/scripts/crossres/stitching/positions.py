"""Where the tiles of a stage scan lie in their mosaic.

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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from crossres.jobs import InputError
from crossres.stitching.mosaic import Tile
from crossres.stitching.tile_pairs import (
    TilePair,
    is_believable,
    measure_pairs,
    needed_correlation,
    neighbours,
    pair_misfit,
    pair_residual,
    smoothed,
)
from crossres.stitching.tile_steps import find_steps

STAGE_ERROR = 0.05
"""Stage error that the grid allows, as part of a tile: it weighs the grid against the measured
pairs, with next to no weight."""


@dataclass(frozen=True)
class TileEdge:
    """A pair of neighbouring tiles, measured.

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
    """Positions of all tiles, with the evidence for them.

    Parameters
    ----------
    positions_px
        (y, x) of every tile's top-left pixel in the mosaic, the least of each axis 0.
    edges
        Measurement of every pair of neighbours.
    placed_by_grid
        Tiles that no accepted pair connects to the largest part of the mosaic, such as blank ones.
        They are placed by the regular grid that fits the others.
    overlap
        Median overlap of neighbours along y and along x, as part of the tile; nan along an axis
        without neighbours.
    """

    positions_px: dict[Tile, tuple[float, float]]
    edges: tuple[TileEdge, ...]
    placed_by_grid: tuple[Tile, ...]
    overlap: tuple[float, float]


def locate_tiles(tiles: Mapping[Tile, np.ndarray], overlap: float | None) -> TilePositions:
    """Find where the tiles of a stage scan lie, to a fraction of a pixel.

    The module's docstring says which part the library does. Tiles are identified by row and column;
    their order of acquisition does not matter.

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
    images = {tile: smoothed(tiles[tile]) for tile in sorted(tiles)}
    pairs = neighbours(images)
    steps = find_steps(images, pairs) if overlap is None else np.diag(shape) * (1 - overlap)
    grid = {tile: np.array(tile) @ steps for tile in images}
    found = measure_pairs(images, pairs, grid)
    needed = needed_correlation(found)
    believed = np.array([is_believable(pair, needed, grid, shape) for pair in found])
    if not believed.any():
        _refuse_unrelated(found, needed, overlap, 1 - np.diag(steps) / shape)
    positions, believed = _solve_consistent(list(images), found, believed, steps, max(shape))
    return _described(positions, found, believed, shape)


def _common_shape(tiles: Mapping[Tile, np.ndarray], overlap: float | None) -> tuple[int, int]:
    """Return the common shape of all tiles."""
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


def _refuse_unrelated(
    found: Sequence[TilePair], needed: float, overlap: float | None, tried: np.ndarray
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
    found: Sequence[TilePair],
    believed: np.ndarray,
    steps: np.ndarray,
    side: int,
) -> tuple[dict[Tile, np.ndarray], np.ndarray]:
    """Return positions and the pairs they rest on, without contradictory pairs."""
    believed = believed.copy()
    while True:
        positions = _solve(tiles, found, believed, steps, side)
        misfits = np.array([pair_misfit(positions, pair) for pair in found])
        worst = int(np.argmax(np.where(believed, misfits, 0.0)))
        if not believed[worst] or misfits[worst] <= 5:
            break
        believed[worst] = False
    loose = _loose_tiles(tiles, [p.tiles for p, b in zip(found, believed, strict=True) if b])
    held = {tile: positions[tile] for tile in tiles if tile not in loose}
    return _solve(tiles, found, believed, _fitted_steps(held, steps), side), believed


def _fitted_steps(held: Mapping[Tile, np.ndarray], nominal: np.ndarray) -> np.ndarray:
    """Return the steps of the grid that fits the held tiles.

    The nominal steps count like one more pair, because steps of few tiles follow the stage's
    errors.
    """
    places, positions = np.array(list(held), dtype=float), np.array(list(held.values()))
    places -= places.mean(axis=0)
    positions = positions - positions.mean(axis=0) - places @ nominal
    return nominal + np.linalg.solve(places.T @ places + np.eye(2), places.T @ positions)


def _solve(
    tiles: Sequence[Tile],
    found: Sequence[TilePair],
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


def _described(
    positions: Mapping[Tile, np.ndarray],
    found: Sequence[TilePair],
    believed: np.ndarray,
    shape: tuple[int, int],
) -> TilePositions:
    """Return positions and pairs as :class:`TilePositions`."""
    edges = tuple(
        TileEdge(
            tiles=pair.tiles,
            offset_px=(float(pair.offset_px[0]), float(pair.offset_px[1])),
            correlation=float(pair.correlation),
            residual_px=float(np.linalg.norm(pair_residual(positions, pair))),
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
    """Return the tiles outside the largest connected part."""
    number = {tile: n for n, tile in enumerate(tiles)}
    ends = np.array([[number[tile] for tile in link] for link in links], dtype=int).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends)), ends.T), shape=(len(tiles), len(tiles)))
    _, part = connected_components(graph, directed=False)
    largest = int(np.argmax(np.bincount(part)))
    return tuple(tile for tile, p in zip(tiles, part, strict=True) if p != largest)
