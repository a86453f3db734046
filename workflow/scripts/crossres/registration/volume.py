"""A pair of volumes through affine registration, with the reason where it must not be used."""

from dataclasses import dataclass

import numpy as np

from crossres.registration.affine import AffineEstimate, estimate_affine
from crossres.registration.warping import warp

LEAST_OVERLAP = 0.5
"""Of the planes: what two volumes of one field must share."""


@dataclass(frozen=True)
class RegisteredVolume:
    """A volume moved onto another, and whether to believe it.

    Parameters
    ----------
    warped
        (Z, Y, X) float32: the moving volume in the place of the reference, interpolated once.
    estimate
        What moved it.
    reason
        Why the pair must not be used; empty where it may.
    """

    warped: np.ndarray
    estimate: AffineEstimate
    reason: str


def register_volume(
    reference: np.ndarray,
    moving: np.ndarray,
    *,
    model: str = "affine",
    min_correlation: float = 0.2,
    max_residual_px: float = 0.5,
) -> RegisteredVolume:
    """Move one volume onto another: shift, rotation, magnification and shear, sub-pixel in z.

    Parameters
    ----------
    reference, moving
        (Z, Y, X) of one shape and pixel size, finite.
    model
        "affine", or "shift" for the translation alone.
    min_correlation
        Pairs that correlate less once aligned are refused.
    max_residual_px
        Pairs whose estimated error (root mean square) is larger are refused.

    Returns
    -------
    RegisteredVolume
        The moved volume; of a refused pair the volume as it was.

    Raises
    ------
    ValueError
        Shapes differ, or these are no volumes.

    References
    ----------
    Chen et al. 2021, Methods: an affine registration of the training pairs of confocal and STED
    volumes improves the result.
    """
    if reference.ndim != 3:
        raise ValueError(f"expected (Z, Y, X), got {reference.shape}")
    estimate = estimate_affine(reference, moving, model=model)
    reason = _fault(estimate, reference.shape[0], min_correlation, max_residual_px)
    if reason:
        return RegisteredVolume(np.asarray(moving, np.float32), estimate, reason)
    moved = warp(moving, estimate.displacement(reference.shape))
    return RegisteredVolume(moved, estimate, "")


def _fault(
    estimate: AffineEstimate, planes: int, min_correlation: float, max_residual_px: float
) -> str:
    """Return why a pair of volumes must not be used, or an empty text."""
    shared = round(estimate.overlap[0] * planes)
    if estimate.correlation < min_correlation:
        return (
            f"the volumes correlate by {estimate.correlation:.2f} at best, below min_correlation "
            f"({min_correlation:g}); they would share {shared} of {planes} planes"
        )
    if estimate.overlap[0] < LEAST_OVERLAP:
        return (
            f"the volumes share {shared} of {planes} planes, shifted by "
            f"{estimate.shift_px[0]:.1f} planes in z: their z ranges hardly meet"
        )
    if estimate.error_px > max_residual_px:
        return (
            f"estimated residual {estimate.error_px:.2f} px, above max_residual_px "
            f"({max_residual_px:g})"
        )
    return ""
