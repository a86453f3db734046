"""The noise of the target's camera, in the patches' own units."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from crossres.preprocess import RoleConstants, Scale

STILL = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class TargetNoise:
    """Variance ``per_level * y + at_zero`` of a normalised target y, and how it was interpolated.

    Parameters
    ----------
    per_level, at_zero
        Of the noise before registration.
    moves_px
        (dy, dx, spread) of each training field: by how much the registration moved it, and how far
        its parts moved otherwise. An interpolation by a part of a pixel smooths noise.
    """

    per_level: float
    at_zero: float
    moves_px: tuple[tuple[float, float, float], ...] = (STILL,)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TargetNoise":
        """Return what ``asdict`` made a dictionary of, from JSON too."""
        moves = tuple((move[0], move[1], move[2]) for move in values["moves_px"])
        return cls(values["per_level"], values["at_zero"], moves)


def target_noise(
    constants: RoleConstants, scale: Scale, registration: pd.DataFrame
) -> TargetNoise | None:
    """Return the noise of the normalised targets of training; None where it is not known.

    Where every image has a scale of its own, the common scale stands for all.

    Parameters
    ----------
    constants
        Of the target: the noise line in raw counts, and the background that was subtracted since.
    scale
        Of the target.
    registration
        Rows of the accepted training fields.
    """
    if constants.noise is None:
        return None
    offset = scale.offset + (constants.background or 0.0)
    per_level = constants.noise.per_count / scale.span
    at_zero = (constants.noise.per_count * offset + constants.noise.at_zero) / scale.span**2
    rows = registration.reindex(columns=["applied", "shift_y_px", "shift_x_px", "deformation_px"])
    moves = []
    for applied, *move in rows.itertuples(index=False):
        dy, dx, spread = np.nan_to_num(np.array(move, float))
        moves.append((float(dy), float(dx), float(spread)) if applied else STILL)
    return TargetNoise(float(per_level), float(at_zero), tuple(moves))
