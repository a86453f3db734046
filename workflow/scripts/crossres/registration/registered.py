"""A registered pair, and the columns of the registration table that say how well it went."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from crossres.settings import Registration

NUMBERS = (
    "residual_px",
    "residual_p95_px",
    "deformation_px",
    "correlation_before",
    "correlation",
    "texture",
)


@dataclass(frozen=True)
class RegisteredPair:
    """A pair on one grid, and how it came there.

    Parameters
    ----------
    pair
        (2, [Z, ]Y, X) float32, input and target, of the part of the input that the target covers.
    corner_px
        (y, x) of that part in the input.
    displacement
        (N, [Z, ]Y, X) float32 of the same part, N = 2 or 3: what moved the target's image onto the
        input, in pixels of the input, along z in slices. At p, counted from the input's corner, not
        the part's, the target's pixel p - displacement(p) is shown.
    correction
        (N, [Z, ]Y, X) float32: the part of it that comes on top of where the target was placed.
    values
        A row of the registration table, but for the field's name.
    """

    pair: np.ndarray
    corner_px: tuple[int, int]
    displacement: np.ndarray
    correction: np.ndarray
    values: dict[str, Any] = field(default_factory=dict)


def leave_out(fixed: np.ndarray, reason: str, coverage: float = 0.0) -> RegisteredPair:
    """Return a pair that could not even be placed: its target empty, its numbers unknown.

    Parameters
    ----------
    fixed
        ([Z, ]Y, X) the input.
    reason
        Why.
    coverage
        Part of the input that the target covers.
    """
    fixed = np.asarray(fixed, np.float32)
    pair = np.stack([fixed, np.zeros_like(fixed)])
    nothing = np.zeros((fixed.ndim, *fixed.shape), np.float32)
    shifts = shift_values(np.zeros(fixed.ndim), (1.0,) * fixed.ndim)
    unknown: dict[str, Any] = dict.fromkeys([*shifts, *NUMBERS], float("nan"))
    values = unknown | {"coverage": coverage, "crop_y_px": 0, "crop_x_px": 0}
    values |= {"applied": False, "accepted": False, "reason": reason}
    return RegisteredPair(pair, (0, 0), nothing, nothing, values)


def shift_values(shift_px: np.ndarray, steps_nm: tuple[float, ...]) -> dict[str, float]:
    """Return the columns of a shift: ``shift_y_px``, ``shift_y_nm`` and so on.

    Parameters
    ----------
    shift_px
        ([z, ]y, x), along z in slices.
    steps_nm
        Distance of two pixels along each axis.
    """
    axes = "zyx"[-len(steps_nm) :]
    in_px = {f"shift_{axis}_px": float(px) for axis, px in zip(axes, shift_px, strict=True)}
    in_nm = {
        f"shift_{axis}_nm": float(px) * nm
        for axis, px, nm in zip(axes, shift_px, steps_nm, strict=True)
    }
    return in_px | in_nm


def verdict(reason: str, settings: Registration) -> dict[str, Any]:
    """Return the columns that say whether a pair was moved, and may be used.

    Parameters
    ----------
    reason
        Why it may not be; empty where it may.
    settings
        Without a method the microscope is trusted: nothing is moved.
    """
    moved = settings.method != "none" and not reason
    return {"applied": moved, "accepted": not reason, "reason": reason}


def mean_shift(step: np.ndarray) -> np.ndarray:
    """Return the mean of a displacement (N, [Z, ]Y, X), (N,) float64."""
    return np.array([part.mean(dtype=np.float64) for part in step])


def largest_deviation(step: np.ndarray, steps_px: tuple[float, ...]) -> float:
    """Return the largest distance of a displacement from its mean, in pixels.

    Parameters
    ----------
    step
        (N, [Z, ]Y, X).
    steps_px
        Distance of two pixels along each axis, in lateral pixels: (1, 1) of images.
    """
    means = step.mean(axis=tuple(range(1, step.ndim)))
    square = np.zeros(step.shape[1:], np.float32)
    for part, mean, size in zip(step, means, steps_px, strict=True):
        square += (size * (part - mean)) ** 2
    return float(np.sqrt(square.max()))
