"""Where in the sample a pixel really looks: the distortion of an objective and its filters."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

CHROMATIC_PART = 0.05
"""Relative standard deviation of an objective's coefficients from one filter to the next."""


@dataclass(frozen=True)
class Distortion:
    """A smooth displacement of the pixels of a tile, in camera pixels.

    Attributes
    ----------
    half_px
        Distance of the outermost pixel's centre from the tile's, along an axis. Coordinates
        u = y / half_px and v = x / half_px run from -1 to 1.
    coefficients_px
        (2, 7), for y and x, of u^2, u v, v^2, u^3, u^2 v, u v^2, v^3. There is no linear term:
        magnification and rotation belong to the camera.
    shift_px
        (y, x) by which the filter shifts the whole tile.
    """

    half_px: float
    coefficients_px: tuple[tuple[float, ...], tuple[float, ...]]
    shift_px: tuple[float, float]

    def offset_px(self, y_px: np.ndarray | float, x_px: np.ndarray | float) -> np.ndarray:
        """Return by how much further a pixel looks than an ideal microscope's.

        Parameters
        ----------
        y_px, x_px
            Pixel coordinates from the tile's centre, of shapes that broadcast together.

        Returns
        -------
        ndarray
            (2, ...) displacement (dy, dx) in camera pixels.
        """
        u, v = np.asarray(y_px) / self.half_px, np.asarray(x_px) / self.half_px
        terms = [u**2, u * v, v**2, u**3, u**2 * v, u * v**2, v**3]
        return np.stack(
            [
                shift + sum(a * term for a, term in zip(row, terms, strict=True))
                for shift, row in zip(self.shift_px, self.coefficients_px, strict=True)
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and lists, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Distortion":
        """Return what :meth:`to_dict` was called on."""
        y, x = values["coefficients_px"]
        shift_y, shift_x = values["shift_px"]
        return cls(float(values["half_px"]), (tuple(y), tuple(x)), (shift_y, shift_x))


def draw_distortion(
    tile_px: int,
    distortion_px: float,
    filter_shift_px: Sequence[float],
    objective_rng: np.random.Generator,
    filter_rng: np.random.Generator,
) -> Distortion:
    """Draw the distortion of an objective with one of its filters.

    Three quarters of it are radial and cubic (pincushion or barrel); the rest is tangential, as
    of a lens off its axis, and a polynomial of the third order.

    Parameters
    ----------
    tile_px
        Side of a tile.
    distortion_px
        Displacement, without the filter's shift, at that corner of the tile where it is largest.
    filter_shift_px
        (y, x).
    objective_rng
        Random generator for what all filters share; give each filter the same.
    filter_rng
        Random generator for this filter alone.
    """
    radial = np.array([[0, 0, 0, 1, 0, 1, 0], [0, 0, 0, 0, 1, 0, 1]], dtype=float)
    sign = objective_rng.choice([-1.0, 1.0])
    p, q = objective_rng.normal(0, 0.15, 2)
    # Brown (1971): (p (3 u^2 + v^2) + 2 q u v, q (u^2 + 3 v^2) + 2 p u v)
    tangential = np.array([[3 * p, 2 * q, p, 0, 0, 0, 0], [q, 2 * p, 3 * q, 0, 0, 0, 0]])
    coefficients = sign * radial + tangential + objective_rng.normal(0, 0.07, (2, 7))
    coefficients = coefficients * (1 + CHROMATIC_PART * filter_rng.normal(size=(2, 7)))
    half_px = (tile_px - 1) / 2
    shift_y, shift_x = (float(shift) for shift in filter_shift_px)

    def distortion(scale: float, shift: tuple[float, float]) -> Distortion:
        y, x = (tuple(float(scale * a) for a in row) for row in coefficients)
        return Distortion(half_px, (y, x), shift)

    corner = np.array([-half_px, half_px])
    reached = distortion(1.0, (0.0, 0.0)).offset_px(corner[:, None], corner[None, :])
    return distortion(distortion_px / np.hypot(*reached).max(), (shift_y, shift_x))
