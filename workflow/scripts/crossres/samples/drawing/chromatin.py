"""The nuclei of cells, on a grid of layers."""

from typing import Any

import numpy as np
import pandas as pd
from scipy import ndimage

NUCLEUS_HALF_HEIGHT_NM = 2000.0
"""Nuclei of spread cells are flat: some 4 um high."""


def draw_nuclei(
    volume: np.ndarray,
    cells: pd.DataFrame,
    pixel_nm: float,
    layers_nm: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Add the nuclei of all cells: ellipsoids of grainy chromatin with dark nucleoli.

    Parameters
    ----------
    volume
        (Z, Y, X) float32, added to in place.
    cells, pixel_nm, layers_nm, rng
        As of :func:`crossres.samples.drawing.filaments.draw_filaments`.
    """
    for cell in cells.itertuples():
        half_px = int(np.ceil(cell.nucleus_long_nm * 1.4 / pixel_nm))
        top = int(cell.nucleus_y_nm // pixel_nm) - half_px
        left = int(cell.nucleus_x_nm // pixel_nm) - half_px
        window = (np.arange(2 * half_px + 1) + 0.5) * pixel_nm
        dy = (window + top * pixel_nm - cell.nucleus_y_nm)[:, None]
        dx = (window + left * pixel_nm - cell.nucleus_x_nm)[None, :]
        dz = layers_nm[:, None, None] - (cell.height_nm + 0.8 * NUCLEUS_HALF_HEIGHT_NM)
        nucleus = _chromatin(cell, dz, dy, dx, pixel_nm, rng)
        _add_within(volume, nucleus.astype(np.float32), top, left)


def _chromatin(
    cell: Any,
    dz: np.ndarray,
    dy: np.ndarray,
    dx: np.ndarray,
    pixel_nm: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return (Z, Y, X): one nucleus at these distances, in nm, from its centre."""
    along = dx * np.cos(cell.nucleus_angle) + dy * np.sin(cell.nucleus_angle)
    across = dy * np.cos(cell.nucleus_angle) - dx * np.sin(cell.nucleus_angle)
    lateral = np.hypot(along / cell.nucleus_long_nm, across / cell.nucleus_short_nm)
    distance = np.hypot(lateral, dz / NUCLEUS_HALF_HEIGHT_NM)
    chromatin = np.ones(lateral.shape)
    for grain_nm, contrast in ((350.0, 0.22), (1000.0, 0.15)):
        grains = ndimage.gaussian_filter(rng.normal(size=lateral.shape), grain_nm / pixel_nm)
        chromatin += contrast * grains / max(grains.std(), 1e-12)
    # smooth where it is clipped, as kinks would ring
    chromatin = 0.1 + np.logaddexp(0, 6 * (chromatin - 0.1)) / 6
    for _ in range(rng.integers(2, 6)):
        radius_nm = rng.uniform(700.0, 1700.0)
        part, turn = 0.6 * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
        y_nm = part * np.sin(turn) * cell.nucleus_short_nm
        x_nm = part * np.cos(turn) * cell.nucleus_long_nm
        away = np.hypot(across - y_nm, (along - x_nm) * rng.uniform(0.7, 1.0))
        chromatin *= 1 - 0.75 / (1 + np.exp((away - radius_nm) / 150.0))
    brightness = rng.lognormal(0.0, 0.25)
    nucleus: np.ndarray = brightness * chromatin / (1 + np.exp((distance - 1) / 0.035))
    return nucleus


def _add_within(volume: np.ndarray, patch: np.ndarray, top: int, left: int) -> None:
    """Add (Z, y, x) to (Z, Y, X) in place, with its corner at (top, left), cut at the borders."""
    first = np.maximum([top, left], 0)
    last = np.minimum([top + patch.shape[1], left + patch.shape[2]], volume.shape[1:])
    if np.all(first < last):
        rows, columns = slice(first[0], last[0]), slice(first[1], last[1])
        volume[:, rows, columns] += patch[
            :, first[0] - top : last[0] - top, first[1] - left : last[1] - left
        ]
