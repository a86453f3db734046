"""One pair of images through the whole registration: placed, moved, measured and judged."""

import numpy as np

from crossres.registration.affine import estimate_affine
from crossres.registration.blocks import estimate_by_blocks
from crossres.registration.elastic import BLOCK_PX, ElasticEstimate, estimate_displacement
from crossres.registration.gate import correlation, explain, refusal
from crossres.registration.registered import (
    RegisteredPair,
    largest_deviation,
    leave_out,
    mean_shift,
    shift_values,
    verdict,
)
from crossres.registration.shift import locate_correlation_peak
from crossres.registration.volume import register_volume
from crossres.registration.warping import warp
from crossres.settings import Registration

LEAST_SIDE_PX = BLOCK_PX


def register_pair(
    fixed: np.ndarray,
    free: np.ndarray,
    settings: Registration,
    steps_nm: tuple[float, ...],
    place: tuple[np.ndarray, np.ndarray] | None = None,
    device: str = "cpu",
) -> RegisteredPair:
    """Move a target onto its input, and say whether the pair may be trained on.

    Parameters
    ----------
    fixed
        (Y, X) or (Z, Y, X) the input, on the target's grid.
    free
        (Y', X') the target, or a mosaic that it is part of; of a volume (Z, Y, X), as the input.
    settings
        ``registration`` of the experiment.
    steps_nm
        Distance of two pixels of both along ([z, ]y, x).
    place
        (A, b): the input's pixel p lies at A p + b in the target; by default both corners meet.
        Images only.
    device
        Where the elastic registration computes.

    Returns
    -------
    RegisteredPair
        With ``accepted`` and ``reason`` among its values. A pair that is not accepted is not moved
        beyond its place either: it is left out of training, and looked at.
    """
    if fixed.ndim == 3:
        return register_volume(fixed, free, settings, steps_nm)
    matrix, offset = place if place is not None else (np.eye(2), np.zeros(2))
    rows, columns = covered_part(fixed.shape, free.shape, matrix, offset)
    coverage = (rows.stop - rows.start) * (columns.stop - columns.start) / fixed.size
    side = min(rows.stop - rows.start, columns.stop - columns.start)
    if place is not None and side < LEAST_SIDE_PX:
        reason = f"the target covers {coverage:.0%} of the input's field, which is too little"
        return leave_out(fixed, reason, coverage)
    if settings.method == "elastic" and side < LEAST_SIDE_PX:
        reason = f"{side} px a side are too few for an elastic registration; use shift"
        return leave_out(fixed, reason, coverage)
    corner = np.array([rows.start, columns.start])
    fixed = np.asarray(fixed[rows, columns], np.float32)
    offset = offset + matrix @ corner
    initial = _placed(fixed.shape, matrix, offset)
    before = warp(free, initial)
    reach_px = max(1, int(np.ceil(settings.max_shift_nm / steps_nm[-1])))
    found = locate_correlation_peak(fixed, before, reach_px)
    step, look = _estimate(fixed, free, (matrix, offset), found.shift_px, settings, device)
    total = _composed(step, matrix, offset)
    after = warp(free, total)
    if settings.method != "elastic":
        look = _look_again(fixed, after, device)
    values = {
        **shift_values(mean_shift(step), steps_nm),
        "residual_px": look.rms_px,
        "residual_p95_px": look.p95_px,
        "deformation_px": largest_deviation(step, (1.0, 1.0)),
        "correlation_before": correlation(fixed, before),
        "correlation": correlation(fixed, after),
        "texture": look.texture,
        "coverage": coverage,
    }
    reason = refusal(values, settings, found.fitted)
    if reason and values["correlation"] < settings.min_correlation:
        reason = explain(fixed, before) or reason
    if reason:
        step, total, after = np.zeros_like(step), initial, before
    values |= {"crop_y_px": int(corner[0]), "crop_x_px": int(corner[1])}
    values |= verdict(reason, settings)
    total = total + corner.reshape(2, 1, 1).astype(np.float32)
    return RegisteredPair(
        np.stack([fixed, after]), (rows.start, columns.start), total, step, values
    )


def covered_part(
    shape: tuple[int, ...], free_shape: tuple[int, ...], matrix: np.ndarray, offset: np.ndarray
) -> tuple[slice, slice]:
    """Return the part of the input that the target covers: the rectangle within its outline.

    Parameters
    ----------
    shape, free_shape
        Of the input and of the target.
    matrix, offset
        The input's pixel p lies at A p + b in the target. Rotations are small.
    """
    limits = []
    for axis in range(2):
        # along the far border of the other axis a rotation costs most: both borders must fit
        low, high = 0.0, shape[axis] - 1.0
        for other in (0.0, shape[1 - axis] - 1.0):
            start = offset[axis] + matrix[axis, 1 - axis] * other
            low = max(low, -start / matrix[axis, axis])
            high = min(high, (free_shape[axis] - 1 - start) / matrix[axis, axis])
        limits.append(slice(int(np.ceil(low - 1e-6)), max(int(np.floor(high + 1e-6)) + 1, 0)))
    return tuple(slice(min(s.start, s.stop), s.stop) for s in limits)  # type: ignore[return-value]


def _estimate(
    fixed: np.ndarray,
    free: np.ndarray,
    place: tuple[np.ndarray, np.ndarray],
    shift_px: tuple[float, float],
    settings: Registration,
    device: str,
) -> tuple[np.ndarray, ElasticEstimate]:
    """Return what the method adds to the place, (2, Y, X), and the estimate if it is elastic."""
    shape, method = fixed.shape, settings.method
    nothing = ElasticEstimate(np.zeros((2, *shape), np.float32), np.full(shape, np.inf), 0.0)
    if method == "none":
        return nothing.displacement, nothing
    if method == "shift":
        constant = np.empty((2, *shape), np.float32)
        constant[:] = np.reshape(shift_px, (2, 1, 1))
        return constant, nothing
    # whole pixels first, so that what is left is within reach of the finer methods
    whole = np.rint(shift_px)
    start = np.zeros((2, *shape), np.float32) + np.reshape(whole, (2, 1, 1)).astype(np.float32)
    near = warp(free, _composed(start, *place))
    if method == "affine":
        found = estimate_affine(fixed, near, initial_shift_px=(0.0, 0.0))
        return found.displacement(shape) + start, nothing
    if settings.scheme == "blocks":
        look = ElasticEstimate(estimate_by_blocks(fixed, near, device), nothing.error_px, 0.0)
        again = _look_again(fixed, warp(near, look.displacement), device)
        look = ElasticEstimate(look.displacement, again.error_px, again.texture)
    else:
        look = estimate_displacement(fixed, near, settings.spacing_px, device)
    return look.displacement + start, look


def _look_again(fixed: np.ndarray, moved: np.ndarray, device: str) -> ElasticEstimate:
    """Return what an elastic registration would still move, and its error, as the error."""
    if min(fixed.shape) < LEAST_SIDE_PX:
        unknown = np.full(fixed.shape, np.nan)
        return ElasticEstimate(np.zeros((2, *fixed.shape), np.float32), unknown, float("nan"))
    left = estimate_displacement(fixed, moved, device=device)
    length = np.sqrt(np.sum(left.displacement**2, axis=0) + left.error_px**2)
    return ElasticEstimate(left.displacement, length, left.texture)


def _placed(shape: tuple[int, ...], matrix: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Return the displacement p - (A p + b) on a grid, (2, Y, X) float32."""
    return _composed(np.zeros((2, *shape), np.float32), matrix, offset)


def _composed(step: np.ndarray, matrix: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Return the whole displacement: the step onto the input, after the place in the target."""
    shape = step.shape[1:]
    y = np.arange(shape[0], dtype=np.float64)[:, None]
    x = np.arange(shape[1], dtype=np.float64)[None]
    at_y, at_x = y - step[0], x - step[1]
    read_y = matrix[0, 0] * at_y + matrix[0, 1] * at_x + offset[0]
    read_x = matrix[1, 0] * at_y + matrix[1, 1] * at_x + offset[1]
    return np.stack([y - read_y, x - read_x]).astype(np.float32)
