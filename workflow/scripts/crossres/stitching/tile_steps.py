"""Positions of the tiles of a stage scan to within a pixel: the grid, and multiview-stitcher."""

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import ConstantInputWarning

from crossres.registration.shift import normalised_cross_correlation
from crossres.stitching.mosaic import Tile

STAGE_REACH = 0.1
"""A neighbour farther than this part of the tile from its place in the grid is a mistake: it
leaves room for a camera turned by five degrees against its stage."""

OVERLAP_RANGE = (0.03, 0.6)
"""Range in which an unknown overlap is searched: with less a scan cannot be aligned, with more
every place would be imaged three times along an axis."""

SEARCH_SIDE_PX = 320
"""Largest side of binned tiles when searching an unknown overlap."""

SEARCH_PAIRS = 8
"""Pairs of neighbours looked at for each axis in finding an unknown overlap."""

LIBRARY_SIDE_PX = 1024
"""Largest side of binned tiles for the library, whose time grows with the pixels; the loss of
precision is well within REACH_PX."""


def axis_of(pair: tuple[Tile, Tile]) -> int:
    """Return 0 where the second tile lies below the first, 1 where it lies to the right."""
    return 0 if pair[1][0] > pair[0][0] else 1


def find_steps(images: Mapping[Tile, np.ndarray], pairs: Sequence[tuple[Tile, Tile]]) -> np.ndarray:
    """Find the steps of the grid from one row and one column to the next.

    Parameters
    ----------
    images
        (Y, X) images by (row, column), all of one size, any unit.
    pairs
        The neighbours among them, the left or upper one first.

    Returns
    -------
    ndarray
        (2, 2), px: the step (dy, dx) to the next row, and to the next column. An axis without a
        pair that shows its step takes the other axis' overlap.
    """
    shape = np.array(next(iter(images.values())).shape)
    bin_px = int(np.ceil(shape.max() / SEARCH_SIDE_PX))
    binned = {tile: _bin(image, bin_px) for tile, image in images.items()}
    contrast = {tile: float(np.std(image)) for tile, image in binned.items()}
    candidates: list[list[tuple[float, np.ndarray]]] = [[], []]
    for axis in (0, 1):
        along = [pair for pair in pairs if axis_of(pair) == axis]
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
        # some shifts of tiles that are not square leave no overlap; skip them
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
    binned: np.ndarray = whole.reshape(rows, bin_px, columns, bin_px).mean(axis=(1, 3))
    return binned


def positions_by_library(
    images: Mapping[Tile, np.ndarray],
    pairs: Sequence[tuple[Tile, Tile]],
    grid: Mapping[Tile, np.ndarray],
) -> dict[Tile, np.ndarray]:
    """Return the positions that multiview-stitcher gives, starting from those of the grid.

    Parameters
    ----------
    images
        (Y, X) images by (row, column), all of one size, any unit.
    pairs
        The neighbours to compare.
    grid
        Where each tile's corner lies if the stage moves as told, (y, x) in px.

    Returns
    -------
    dict
        The corner of each tile, (y, x) in px; that of the grid where no two tiles overlap enough.
    """
    # loading it takes seconds
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
        # for constant overlaps the grid's position is returned
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
