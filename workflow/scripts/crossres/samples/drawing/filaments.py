"""Curved fibres in cells: bundles of actin or single microtubules, by their settings."""

from typing import Any

import numpy as np
import pandas as pd
from scipy import ndimage

from crossres.samples.cells import Filaments
from crossres.samples.drawing.cells import outline_distance

KNOT_NM = 1000.0
"""A fibre is straight between knots; that is 12 nm off an arc of 10 um radius."""

HALF_KNOTS = 35
"""Knots on either side of a fibre's middle."""


def draw_filaments(
    volume: np.ndarray,
    cells: pd.DataFrame,
    stain: Filaments,
    pixel_nm: float,
    layers_nm: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Add the filaments of all cells, and the haze of what is not bound to any.

    Parameters
    ----------
    volume
        (Z, Y, X) float32, added to in place; pixel i has its centre at (i + 0.5) * pixel_nm.
    cells
        As :func:`crossres.samples.drawing.cells.place_cells` returns them.
    stain
        What is drawn.
    pixel_nm
        Lateral pixel size.
    layers_nm
        (Z,) evenly spaced heights.
    rng
        Source of chance.
    """
    spacing_nm = layers_nm[1] - layers_nm[0]
    for cell in cells.itertuples():
        z, y, x, light = _fine_points(_fibre_knots(cell, stain, rng), pixel_nm / 2)
        z_px = (np.clip(z, layers_nm[0], layers_nm[-1]) - layers_nm[0]) / spacing_nm
        _splat(volume, (z_px, y / pixel_nm - 0.5, x / pixel_nm - 0.5), light)
    sigma_px = stain.width_nm / np.sqrt(8 * np.log(2)) / pixel_nm
    for layer in volume:
        ndimage.gaussian_filter(layer, sigma_px, output=layer, mode="constant")
    if len(cells) and stain.haze > 0:
        _add_haze(volume, cells, stain.haze, pixel_nm, layers_nm)


def _fibre_knots(cell: Any, stain: Filaments, rng: np.random.Generator) -> np.ndarray:
    """Return (4, fibres, knots): z, y, x in nm and light of one cell's strands."""
    count = max(1, round(stain.fibre_count * (cell.radius_nm / 27e3) ** 2))
    along_nm = np.arange(-HALF_KNOTS, HALF_KNOTS + 1) * KNOT_NM
    turn, part = rng.uniform(0, 2 * np.pi, count), np.sqrt(rng.random(count))
    long = part * np.cos(turn) * cell.radius_nm * np.sqrt(cell.elongation)
    short = part * np.sin(turn) * cell.radius_nm / np.sqrt(cell.elongation)
    y = cell.y_nm + long * np.sin(cell.angle) + short * np.cos(cell.angle)
    x = cell.x_nm + long * np.cos(cell.angle) - short * np.sin(cell.angle)
    outward = np.arctan2(y - cell.nucleus_y_nm, x - cell.nucleus_x_nm)
    aligned = rng.random(count) < stain.alignment
    heading = np.where(aligned, cell.angle, outward) + rng.normal(0, 0.25, count)
    bend = _waves(count, along_nm, (12e3, 25e3, 60e3), rng, integral=True)
    heading = heading[:, None] + stain.curvature / 1e3 * bend
    y, x = (
        start[:, None] + _from_middle(step(heading) * KNOT_NM)
        for start, step in ((y, np.sin), (x, np.cos))
    )
    z = cell.height_nm + rng.exponential(700.0, (count, 1))
    z = z + 200.0 * _waves(count, along_nm, (20e3, 50e3), rng)
    light = rng.lognormal(0.0, 0.5, (count, 1))
    light = light * np.exp(0.35 * _waves(count, along_nm, (3e3, 6e3, 15e3), rng))
    # ends that thin out; a fibre does not come back where it has left its cell
    length_nm = np.clip(rng.lognormal(np.log(32e3), 0.5, (count, 1)), 6e3, 66e3)
    light *= np.clip((length_nm / 2 - np.abs(along_nm)) / 3e3, 0, 1)
    inside = np.clip((1 - outline_distance(cell, y, x)) / 0.06, 0, 1)
    for half in (inside[:, HALF_KNOTS:], inside[:, HALF_KNOTS::-1]):
        half[:] = np.minimum.accumulate(half, axis=1)
    knots = np.stack([z, y, x, light * inside])
    return _strands(knots, heading, stain, rng)


def _strands(
    knots: np.ndarray, heading: np.ndarray, stain: Filaments, rng: np.random.Generator
) -> np.ndarray:
    """Split each fibre into strands that wander about its axis, crossing one another."""
    strands = stain.strands
    if strands == 1:
        return knots
    knots, heading = np.repeat(knots, strands, axis=1), np.repeat(heading, strands, axis=0)
    along_nm = np.arange(knots.shape[2]) * KNOT_NM
    aside_nm = rng.normal(0, 1, (len(heading), 1))
    aside_nm = aside_nm + _waves(len(heading), along_nm, (9e3, 20e3, 45e3), rng)
    aside_nm *= 1.2 * stain.width_nm
    knots[1] += aside_nm * np.cos(heading)
    knots[2] -= aside_nm * np.sin(heading)
    return knots


def _from_middle(steps: np.ndarray) -> np.ndarray:
    """Sum steps along the last axis, both ways from the middle, which stays at 0."""
    sums = np.cumsum(steps, axis=-1)
    from_middle: np.ndarray = sums - sums[..., HALF_KNOTS : HALF_KNOTS + 1]
    return from_middle


def _waves(
    count: int,
    along_nm: np.ndarray,
    lengths_nm: tuple[float, ...],
    rng: np.random.Generator,
    integral: bool = False,
) -> np.ndarray:
    """Return (count, N) smooth random functions of root mean square 1, or their integrals."""
    total = np.zeros((count, len(along_nm)))
    for length_nm in lengths_nm:
        k = 2 * np.pi / (length_nm * rng.uniform(0.7, 1.4, (count, 1)))
        phase = rng.uniform(0, 2 * np.pi, (count, 1))
        if integral:
            total += (np.sin(k * along_nm + phase) - np.sin(phase)) / k
        else:
            total += np.cos(k * along_nm + phase)
    waves: np.ndarray = total * np.sqrt(2 / len(lengths_nm))
    return waves


def _fine_points(knots: np.ndarray, step_nm: float) -> np.ndarray:
    """Return (4, points): what lies between the knots, a point about every ``step_nm``."""
    last = knots.shape[2] - 1
    fine = np.linspace(0, last, int(last * KNOT_NM / step_nm) + 1)
    left = np.minimum(fine.astype(int), last - 1)
    part = fine - left
    light = knots[3][:, left] * (1 - part) + knots[3][:, left + 1] * part
    fibre, point = np.nonzero(light > 1e-3)
    left, part = left[point], part[point]
    points: np.ndarray = knots[:, fibre, left] * (1 - part) + knots[:, fibre, left + 1] * part
    return points


def _splat(
    volume: np.ndarray, points: tuple[np.ndarray, np.ndarray, np.ndarray], light: np.ndarray
) -> None:
    """Share points, in indices, among their eight neighbours, in place; their centroid stays."""
    low = [np.floor(p).astype(np.int64) for p in points]
    low[0] = np.minimum(low[0], len(volume) - 2)
    inside = np.ones(len(light), bool)
    for index, length in zip(low, volume.shape, strict=True):
        inside &= (index >= 0) & (index < length - 1)
    high_part = [(p - index)[inside] for p, index in zip(points, low, strict=True)]
    corner = np.ravel_multi_index(tuple(index[inside] for index in low), volume.shape)
    flat = volume.reshape(-1)
    for step in np.ndindex(2, 2, 2):
        share = light[inside]
        for up, part in zip(step, high_part, strict=True):
            share = share * (part if up else 1 - part)
        ahead = (step[0] * volume.shape[1] + step[1]) * volume.shape[2] + step[2]
        np.add.at(flat, corner + ahead, share.astype(np.float32))


def _add_haze(
    volume: np.ndarray, cells: pd.DataFrame, haze: float, pixel_nm: float, layers_nm: np.ndarray
) -> None:
    """Fill the cells evenly, in place, until ``haze`` is this part of all light."""
    side = volume.shape[1]
    # cells have no detail here: a coarse grid, interpolated, costs a hundredth
    coarse = max(1, round(1300.0 / pixel_nm))
    centre_nm = (np.arange(-(-side // coarse) + 1) * coarse + 0.5) * pixel_nm
    body = np.zeros((len(centre_nm), len(centre_nm)))
    for cell in cells.itertuples():
        distance = outline_distance(cell, centre_nm[:, None], centre_nm[None, :])
        body += np.clip((1.02 - distance) / 0.25, 0, 1) * np.clip(1.5 - distance, 0, 1)
    where = np.arange(side) / coarse
    low = np.minimum(where.astype(int), len(centre_nm) - 2)
    part = (where - low).astype(np.float32)
    rows = body[low] * (1 - part[:, None]) + body[low + 1] * part[:, None]
    fine = rows[:, low] * (1 - part) + rows[:, low + 1] * part
    # a cell holds most of its volume low down, as it does its filaments
    share = np.exp(-0.5 * ((layers_nm - 300.0) / 900.0) ** 2)
    light = volume.sum(dtype=float) * haze / (1 - haze)
    fine *= light / max(fine.sum(dtype=float) * share.sum(), 1e-12)
    volume += share[:, None, None].astype(np.float32) * fine.astype(np.float32)
