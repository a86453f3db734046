"""Nuclei of HeLa cells in one optical section, filled with puncta of a histone mark.

Lengths count from the field's edge. The mark (H3K4me3) sits in clusters smaller than any PSF here,
dense through the nucleus, uneven over micrometres, and nearly absent from the nucleoli.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import ndimage

BORDER_NM = 9000.0
"""Margin around the field in which nuclei are placed: the largest that reach into it."""

SPACING_NM = 18e3
"""Side of the square that a cell of a monolayer takes, on average."""

RIM_ORDERS = np.arange(2, 7)
"""Waves around the rim that make it irregular."""

EDGE_NM = 120.0
"""Width over which the density of puncta falls at the rim and at the nucleoli."""

NUCLEOLAR = 0.04
"""Density of puncta in a nucleolus, as part of that around it."""

HAZE_BLUR_NM = 350.0
"""Standard deviation of the blur of the haze, most of which comes from above and below."""

TEXTURE_WAVES = 40
TEXTURE_PERIOD_NM = (900.0, 4000.0)
TEXTURE_CONTRAST = 0.45
"""The uneven density over micrometres: random plane waves; standard deviation of its logarithm."""


def place_nuclei(field_nm: float, rng: np.random.Generator) -> pd.DataFrame:
    """Place nuclei so that one lies near the middle of the field, as a person chose it.

    Parameters
    ----------
    field_nm
        Side of the field.
    rng
        Source of chance.

    Returns
    -------
    DataFrame
        A row a nucleus; some lie partly or wholly outside the field. Its rim is an ellipse of
        ``y_nm``, ``x_nm``, semi-axes ``long_nm`` and ``short_nm``, and ``angle`` (of the long axis,
        from x towards y, in radians), with waves of amplitude ``rim`` (parts of the radius) and
        ``phase``, a value for each of :data:`RIM_ORDERS`. ``nucleoli`` is (N, 3): y, x and radius,
        in nm.
    """
    wide_nm = field_nm + 2 * BORDER_NM
    middle = field_nm / 2 + rng.uniform(-0.08, 0.08, (1, 2)) * field_nm
    others = rng.uniform(
        -BORDER_NM, field_nm + BORDER_NM, (rng.poisson((wide_nm / SPACING_NM) ** 2), 2)
    )
    rows: list[dict[str, Any]] = []
    for y_nm, x_nm in np.concatenate([middle, others]):
        long_nm = rng.uniform(5.6e3, 7.6e3)
        row = {
            "y_nm": y_nm,
            "x_nm": x_nm,
            "long_nm": long_nm,
            "short_nm": max(long_nm * rng.uniform(0.7, 0.95), 5e3),
            "angle": rng.uniform(0, np.pi),
            "rim": rng.normal(0, 0.035, len(RIM_ORDERS)) * 2 / RIM_ORDERS,
            "phase": rng.uniform(0, 2 * np.pi, len(RIM_ORDERS)),
        }
        row["nucleoli"] = _place_nucleoli(row, rng)
        clear = all(
            np.hypot(y_nm - o["y_nm"], x_nm - o["x_nm"]) > 1.05 * (long_nm + o["long_nm"])
            for o in rows
        )
        if clear:
            rows.append(row)
    return pd.DataFrame(rows)


def _place_nucleoli(nucleus: Mapping[str, Any], rng: np.random.Generator) -> np.ndarray:
    count = rng.integers(2, 5)
    part, turn = 0.62 * np.sqrt(rng.random(count)), rng.uniform(0, 2 * np.pi, count)
    along, across = part * np.cos(turn), part * np.sin(turn)
    along, across = along * nucleus["long_nm"], across * nucleus["short_nm"]
    cos, sin = np.cos(nucleus["angle"]), np.sin(nucleus["angle"])
    y_nm = nucleus["y_nm"] + along * sin + across * cos
    x_nm = nucleus["x_nm"] + along * cos - across * sin
    return np.column_stack([y_nm, x_nm, rng.uniform(700.0, 1500.0, count)])


def chromatin_density(nucleus: Any, y_nm: np.ndarray, x_nm: np.ndarray) -> np.ndarray:
    """Return how much active chromatin one nucleus has at some points: 1 inside, 0 outside.

    Parameters
    ----------
    nucleus
        A row of :func:`place_nuclei`, as ``itertuples`` gives it.
    y_nm, x_nm
        The points, of shapes that broadcast together.
    """
    dy, dx = y_nm - nucleus.y_nm, x_nm - nucleus.x_nm
    along = (dx * np.cos(nucleus.angle) + dy * np.sin(nucleus.angle)) / nucleus.long_nm
    across = (dy * np.cos(nucleus.angle) - dx * np.sin(nucleus.angle)) / nucleus.short_nm
    turn = np.arctan2(across, along)
    rim = 1.0 + sum(
        rim * np.cos(order * turn + phase)
        for order, rim, phase in zip(RIM_ORDERS, nucleus.rim, nucleus.phase, strict=True)
    )
    density = _step((rim - np.hypot(across, along)) * nucleus.short_nm)
    for centre_y, centre_x, radius_nm in nucleus.nucleoli:
        outside = _step(np.hypot(y_nm - centre_y, x_nm - centre_x) - radius_nm)
        density = density * (NUCLEOLAR + (1 - NUCLEOLAR) * outside)
    return density


def _step(inside_nm: np.ndarray) -> np.ndarray:
    """Return 0 to 1 across an edge, from the distance to it."""
    return 0.5 + 0.5 * np.tanh(inside_nm / EDGE_NM)


def place_puncta(
    nuclei: pd.DataFrame, puncta_per_um2: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Scatter puncta through nuclei.

    Parameters
    ----------
    nuclei
        As :func:`place_nuclei` returns them.
    puncta_per_um2
        Puncta a square micrometre of nucleus outside the nucleoli, on average.
    rng
        Source of chance.

    Returns
    -------
    places_nm : ndarray
        (N, 2) y and x; some lie outside the field.
    nucleus : ndarray
        (N,) row of the nucleus that each lies in.
    """
    places, numbers = [], []
    # densities are drawn up to this; the few higher peaks of the texture are clipped
    ceiling = np.exp(2.5 * TEXTURE_CONTRAST)
    for number, nucleus in enumerate(nuclei.itertuples()):
        half_nm = 1.3 * nucleus.long_nm
        side_um = 2 * half_nm / 1e3
        count = rng.poisson(puncta_per_um2 * ceiling * side_um**2)
        y_nm = nucleus.y_nm + rng.uniform(-half_nm, half_nm, count)
        x_nm = nucleus.x_nm + rng.uniform(-half_nm, half_nm, count)
        wanted = chromatin_density(nucleus, y_nm, x_nm) * _texture(y_nm, x_nm, rng)
        kept = rng.random(count) * ceiling < wanted
        places.append(np.column_stack([y_nm[kept], x_nm[kept]]))
        numbers.append(np.full(kept.sum(), number))
    return np.concatenate(places), np.concatenate(numbers)


def _texture(y_nm: np.ndarray, x_nm: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a factor of mean 1 that varies over micrometres, other for every nucleus."""
    wave_per_nm = 2 * np.pi / rng.uniform(*TEXTURE_PERIOD_NM, TEXTURE_WAVES)
    turn, phase = rng.uniform(0, 2 * np.pi, (2, TEXTURE_WAVES))
    field = np.cos(
        np.outer(y_nm, wave_per_nm * np.sin(turn))
        + np.outer(x_nm, wave_per_nm * np.cos(turn))
        + phase
    ).sum(axis=1) * np.sqrt(2 / TEXTURE_WAVES)
    factor: np.ndarray = np.exp(TEXTURE_CONTRAST * field - TEXTURE_CONTRAST**2 / 2)
    return factor


def draw_haze(
    nuclei: pd.DataFrame, shape: tuple[int, int], pixel_size_nm: float, corner_nm: np.ndarray
) -> np.ndarray:
    """Draw the light from between the puncta: 1 deep in a nucleus, 0 far from it.

    Parameters
    ----------
    nuclei
        As :func:`place_nuclei` returns them.
    shape
        (Y, X) of the image.
    pixel_size_nm
        Pixel size.
    corner_nm
        (y, x) of the image's corner in the frame of the nuclei.

    Returns
    -------
    ndarray
        (Y, X) float64.
    """
    y_nm, x_nm = (
        (np.arange(count) + 0.5) * pixel_size_nm + start
        for count, start in zip(shape, corner_nm, strict=True)
    )
    density = np.zeros(shape)
    for nucleus in nuclei.itertuples():
        half_nm = 1.3 * nucleus.long_nm
        rows, columns = (
            slice(*np.searchsorted(axis_nm, [centre - half_nm, centre + half_nm]))
            for axis_nm, centre in ((y_nm, nucleus.y_nm), (x_nm, nucleus.x_nm))
        )
        density[rows, columns] += chromatin_density(nucleus, y_nm[rows, None], x_nm[columns])
    haze: np.ndarray = ndimage.gaussian_filter(
        density, HAZE_BLUR_NM / pixel_size_nm, mode="nearest"
    )
    return haze
