"""Fluorescent nano-beads on a coverslip, and their image through a radial PSF."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.interpolate import CubicSpline

from crossres.optics.radial import RADIUS_MAX_NM, radius_grid


def place_beads(
    field_nm: float, settings: Mapping[str, Any], rng: np.random.Generator
) -> pd.DataFrame:
    """Scatter beads over a square field, some of them in close pairs.

    Parameters
    ----------
    field_nm
        Side of the field.
    settings
        ``density_per_um2``: beads a square micrometre; ``pair_fraction``: part of them that get
        a neighbour, which comes on top; ``pair_distance_nm``: least and greatest distance within
        a pair; ``brightness_spread``: standard deviation of the logarithm of the brightness.
    rng
        Source of chance.

    Returns
    -------
    DataFrame
        ``y_nm``, ``x_nm`` from the field's edge, ``brightness`` (1 on average) and ``pair``
        (a number both beads of a pair share, -1 for single ones; the partner of one near the
        border may lie outside).
    """
    count = rng.poisson(settings["density_per_um2"] * (field_nm / 1e3) ** 2)
    centres = rng.uniform(0, field_nm, (count, 2))
    paired = np.flatnonzero(rng.random(count) < settings["pair_fraction"])
    least_nm, greatest_nm = settings["pair_distance_nm"]
    distance_nm = rng.uniform(least_nm, greatest_nm, len(paired))
    angle = rng.uniform(0, 2 * np.pi, len(paired))
    step = distance_nm[:, None] * np.column_stack([np.sin(angle), np.cos(angle)])
    positions = np.concatenate([centres, centres[paired] + step])
    pair = np.full(count, -1)
    pair[paired] = np.arange(len(paired))
    spread = settings["brightness_spread"]
    brightness = rng.lognormal(-(spread**2) / 2, spread, len(positions))
    beads = pd.DataFrame(
        {
            "y_nm": positions[:, 0],
            "x_nm": positions[:, 1],
            "brightness": brightness,
            "pair": np.concatenate([pair, np.arange(len(paired))]),
        }
    )
    inside = beads[["y_nm", "x_nm"]].ge(0).all(axis=1) & beads[["y_nm", "x_nm"]].lt(field_nm).all(
        axis=1
    )
    return beads[inside].reset_index(drop=True)


def render_beads(
    beads: pd.DataFrame, profile: np.ndarray, shape: tuple[int, int], pixel_size_nm: float
) -> np.ndarray:
    """Sum the PSF at the exact place of every bead, brightness 1 giving a peak of 1.

    Parameters
    ----------
    beads
        With ``y_nm``, ``x_nm`` and ``brightness``.
    profile
        (R,) radial PSF of peak 1 on :func:`crossres.optics.radial.radius_grid`.
    shape
        (Y, X) of the image; pixel i has its centre at (i + 0.5) * pixel_size_nm.
    pixel_size_nm
        Pixel size.

    Returns
    -------
    ndarray
        (Y, X) float64.
    """
    spline = CubicSpline(radius_grid(), profile)
    # beyond this radius every profile here has fallen below a thousandth of its peak
    reach_nm = min(RADIUS_MAX_NM, radius_grid()[np.flatnonzero(profile > 1e-3)[-1]])
    half = int(np.ceil(reach_nm / pixel_size_nm)) + 1
    image = np.zeros((shape[0] + 2 * half, shape[1] + 2 * half))
    window = np.arange(-half, half + 1)
    for y_nm, x_nm, brightness in beads[["y_nm", "x_nm", "brightness"]].to_numpy():
        row, column = int(y_nm // pixel_size_nm), int(x_nm // pixel_size_nm)
        dy = (row + window + 0.5) * pixel_size_nm - y_nm
        dx = (column + window + 0.5) * pixel_size_nm - x_nm
        radius = np.hypot(dy[:, None], dx[None, :])
        spot = np.where(radius <= reach_nm, spline(np.minimum(radius, reach_nm)), 0.0)
        image[row : row + 2 * half + 1, column : column + 2 * half + 1] += brightness * spot
    return image[half:-half, half:-half]
