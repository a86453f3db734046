"""Endothelial cells on a coverslip: where they lie and how they are shaped.

Lengths count from the scene's edge, heights from the focal plane, upwards from the coverslip.
"""

from typing import Any

import numpy as np
import pandas as pd

BORDER_NM = 40e3
"""Margin around the scene in which cells are placed too, so that edges are as crowded."""


def place_cells(size_nm: float, density_per_mm2: float, rng: np.random.Generator) -> pd.DataFrame:
    """Scatter cells over a square scene, keeping them apart where there is room.

    Parameters
    ----------
    size_nm
        Side of the scene.
    density_per_mm2
        Cells a square millimetre.
    rng
        Source of chance.

    Returns
    -------
    DataFrame
        A row a cell; some lie outside the scene. Its outline is an ellipse of ``y_nm``, ``x_nm``,
        ``radius_nm`` (of the circle of the same area), ``elongation`` (ratio of the axes) and
        ``angle`` (of the long axis, from x towards y, in radians), with three and four lobes:
        ``lobe_3``, ``lobe_4`` (parts of the radius), ``phase_3``, ``phase_4``. ``height_nm`` is
        that of its lower side. Its nucleus has ``nucleus_y_nm``, ``nucleus_x_nm``,
        ``nucleus_long_nm``, ``nucleus_short_nm`` (semi-axes) and ``nucleus_angle``.
    """
    wide_nm = size_nm + 2 * BORDER_NM
    count = int(rng.poisson(density_per_mm2 * (wide_nm / 1e6) ** 2))
    centres = np.zeros((count, 2))
    for cell in range(count):
        # the most isolated of a few places: cells avoid each other, yet gaps and contacts remain
        places = rng.uniform(-BORDER_NM, size_nm + BORDER_NM, (4, 2))
        away_nm = np.hypot(*(places[:, None] - centres[None, :cell]).transpose(2, 0, 1))
        centres[cell] = places[np.argmax(away_nm.min(axis=1, initial=np.inf))]
    radius_nm = np.clip(rng.normal(27e3, 4e3, count), 16e3, 38e3)
    angle = rng.uniform(0, np.pi, count)
    nucleus = centres + rng.normal(0, 0.12, (count, 2)) * radius_nm[:, None]
    long_nm = rng.uniform(6.5e3, 9e3, count)
    return pd.DataFrame(
        {
            "y_nm": centres[:, 0],
            "x_nm": centres[:, 1],
            "radius_nm": radius_nm,
            "elongation": rng.uniform(1.1, 2.2, count),
            "angle": angle,
            "lobe_3": rng.uniform(0.05, 0.2, count),
            "phase_3": rng.uniform(0, 2 * np.pi, count),
            "lobe_4": rng.uniform(0.05, 0.2, count),
            "phase_4": rng.uniform(0, 2 * np.pi, count),
            # a coverslip is never quite level, and an autofocus settles a little above it
            "height_nm": rng.normal(-500.0, 200.0, count),
            "nucleus_y_nm": nucleus[:, 0],
            "nucleus_x_nm": nucleus[:, 1],
            "nucleus_long_nm": long_nm,
            "nucleus_short_nm": np.maximum(long_nm * rng.uniform(0.65, 0.95, count), 5e3),
            "nucleus_angle": angle + rng.normal(0, 0.3, count),
        }
    )


def outline_distance(cell: Any, y_nm: np.ndarray, x_nm: np.ndarray) -> np.ndarray:
    """Return how far points lie from a cell's centre: 0 there, 1 on its outline.

    Parameters
    ----------
    cell
        A row of :func:`place_cells`, as ``itertuples`` gives it.
    y_nm, x_nm
        The points, of shapes that broadcast together.
    """
    dy, dx = y_nm - cell.y_nm, x_nm - cell.x_nm
    along = dx * np.cos(cell.angle) + dy * np.sin(cell.angle)
    across = dy * np.cos(cell.angle) - dx * np.sin(cell.angle)
    stretch = np.sqrt(cell.elongation)
    along, across = along / (cell.radius_nm * stretch), across / (cell.radius_nm / stretch)
    turn = np.arctan2(across, along)
    lobes = cell.lobe_3 * np.cos(3 * turn + cell.phase_3)
    lobes = lobes + cell.lobe_4 * np.cos(4 * turn + cell.phase_4)
    distance: np.ndarray = np.hypot(across, along) / (1 + lobes)
    return distance
