"""A pair of volumes through the whole registration: moved, measured, and refused with a reason."""

import numpy as np

from crossres.registration.affine import AffineEstimate, correlation_shift, estimate_affine
from crossres.registration.gate import correlation, explain, refusal
from crossres.registration.registered import (
    RegisteredPair,
    largest_deviation,
    shift_values,
    verdict,
)
from crossres.registration.sharpness import equally_sharp
from crossres.registration.warping import warp
from crossres.settings import Registration

LEAST_OVERLAP = 0.5
"""Of the slices: what two volumes of one field must share."""


def register_volume(
    fixed: np.ndarray,
    free: np.ndarray,
    settings: Registration,
    steps_nm: tuple[float, ...],
) -> RegisteredPair:
    """Move a target's volume onto that of its input, to a fraction of a slice.

    Parameters
    ----------
    fixed, free
        (Z, Y, X) input and target of one shape on one grid, finite.
    settings
        ``registration`` of the experiment, of method ``shift``, ``affine`` or ``none``.
    steps_nm
        Distance of two pixels along z, y and x.

    Returns
    -------
    RegisteredPair
        Its displacement counts z in slices; ``residual_px`` and ``deformation_px`` are lengths,
        in lateral pixels, to which errors along z contribute by their nm. A pair that is not
        accepted is not moved.

    Raises
    ------
    ValueError
        Shapes differ, these are no volumes, or the method is for images only.

    References
    ----------
    Chen et al. 2021, Methods: an affine registration of the training pairs of confocal and STED
    volumes improves the result.
    """
    if fixed.ndim != 3:
        raise ValueError(f"expected (Z, Y, X), got {fixed.shape}")
    if settings.method == "elastic":
        raise ValueError("volumes cannot be registered elastically")
    fixed, before = (np.asarray(volume, np.float32) for volume in (fixed, free))
    steps_px = tuple(step / steps_nm[-1] for step in steps_nm)
    found = _estimate(fixed, before, settings, steps_nm)
    step = found.displacement(fixed.shape)
    after = before if settings.method == "none" else warp(before, step)
    values = {
        **shift_values(found.shift_px, steps_nm),
        "residual_px": float(np.linalg.norm(found.errors_px * steps_px)),
        # known of elastic registrations alone
        "residual_p95_px": float("nan"),
        "deformation_px": largest_deviation(step, steps_px),
        "correlation_before": correlation(fixed, before, steps_px),
        "correlation": correlation(fixed, after, steps_px),
        "texture": float("nan"),
        "coverage": 1.0,
    }
    reason = _apart(found, len(fixed)) or refusal(values, settings)
    if reason and values["correlation"] < settings.min_correlation:
        reason = explain(fixed.mean(axis=0), before.mean(axis=0)) or reason
    if reason:
        step, after = np.zeros_like(step), before
    values |= {"crop_y_px": 0, "crop_x_px": 0, **verdict(reason, settings)}
    return RegisteredPair(np.stack([fixed, after]), (0, 0), step, step, values)


def _estimate(
    fixed: np.ndarray,
    free: np.ndarray,
    settings: Registration,
    steps_nm: tuple[float, ...],
) -> AffineEstimate:
    """Return what the method moves the target by, no further than allowed."""
    if settings.method == "none":
        still, unknown = np.zeros(3), np.full(3, np.nan)
        return AffineEstimate(np.zeros((3, 3)), still, unknown, float("nan"), (1.0, 1.0, 1.0))
    # two pixels more, so that a peak at the limit still shows both its sides
    reach = tuple(int(np.ceil(settings.max_shift_nm / step)) + 2 for step in steps_nm)
    start = correlation_shift(fixed, free, reach)
    pair, margins_px = equally_sharp(fixed, free, start)
    return estimate_affine(
        *pair, model=settings.method, initial_shift_px=start, margins_px=margins_px, damped=True
    )


def _apart(found: AffineEstimate, slices: int) -> str:
    """Return why volumes that share few slices must not be used, or an empty text."""
    if found.overlap[0] >= LEAST_OVERLAP:
        return ""
    return (
        f"the volumes share {round(found.overlap[0] * slices)} of {slices} slices, shifted by "
        f"{found.shift_px[0]:.1f} slices in z: their z ranges hardly meet"
    )
