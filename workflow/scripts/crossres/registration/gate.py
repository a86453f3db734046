"""The quality gate: which pairs may be trained on, and why not the others."""

from collections.abc import Mapping

import numpy as np
from scipy.ndimage import gaussian_filter

from crossres.registration.elastic import BLOCK_PX
from crossres.registration.match import match_field
from crossres.settings import Registration

BLURS_PX = (1, 2, 4, 8)
LEAST_INDEPENDENT = 300
"""Values that a blur must leave: with fewer, chance alone correlates by the limit of the gate."""


def correlation(
    fixed: np.ndarray, free: np.ndarray, steps_px: tuple[float, ...] | None = None
) -> float:
    """Return Pearson's r of an input and a target blurred as the input is.

    The blur is the one of 0, 1, 2, 4 and 8 px (standard deviation of a Gaussian, as far as it
    leaves 300 independent values) at which they correlate best: a sharp target agrees with
    a blurred input in few of its pixels, however well both are aligned.

    Parameters
    ----------
    fixed, free
        ([Z, ]Y, X) input and target, aligned.
    steps_px
        Distance of two pixels along each axis, in lateral pixels: the blur is as wide in nm along
        z as in the plane. By default 1 along each.

    Returns
    -------
    float
        -1 to 1; 0 where one image is constant.
    """
    if fixed.std() == 0 or free.std() == 0:
        return 0.0
    found = [float(np.corrcoef(fixed.ravel(), free.ravel())[0, 1])]
    for blur_px in BLURS_PX:
        sigmas = [blur_px / step for step in steps_px or (1.0,) * fixed.ndim]
        # a blur leaves fewer independent values, of which chance makes more
        alike = np.prod([max(1.0, 2 * np.sqrt(np.pi) * sigma) for sigma in sigmas])
        if fixed.size >= LEAST_INDEPENDENT * alike:
            blurred = gaussian_filter(free, sigmas)
            found.append(float(np.corrcoef(fixed.ravel(), blurred.ravel())[0, 1]))
    return max(found)


def refusal(values: Mapping[str, float], settings: Registration, fitted: bool = True) -> str:
    """Return why a pair must not be trained on, or an empty text.

    Parameters
    ----------
    values
        Of the registration table: ``shift_*_nm``, ``correlation``, ``residual_px``, ``texture`` and
        ``deformation_px``.
    settings
        ``registration`` of the experiment; without a method everything is trusted.
    fitted
        Whether a Gaussian fitted the peak of the cross-correlation, where one should.
    """
    if settings.method == "none":
        return ""
    shift_nm = float(np.linalg.norm([values.get(f"shift_{axis}_nm", 0.0) for axis in "zyx"]))
    elastic = settings.method == "elastic"
    if values["correlation"] < settings.min_correlation:
        return (
            f"correlation {values['correlation']:.2f}, below min_correlation "
            f"({settings.min_correlation:g})"
        )
    if shift_nm > settings.max_shift_nm:
        return f"shift of {shift_nm:.0f} nm, beyond max_shift_nm ({settings.max_shift_nm:g})"
    if settings.method == "shift" and not fitted:
        return "no Gaussian fits the peak of the cross-correlation"
    if elastic and not np.isfinite(values["residual_px"]):
        return "nothing that both images show could be found to align them by"
    if elastic and values["texture"] < settings.min_texture:
        return (
            f"texture {values['texture']:.2f}: too few blocks show enough to be located, "
            f"min_texture is {settings.min_texture:g}"
        )
    # an affine registration of a volume says how far to believe it, that of an image does not
    estimated = elastic or "shift_z_nm" in values
    if estimated and values["deformation_px"] > settings.max_deformation_px:
        return (
            f"deformation of {values['deformation_px']:.1f} px, beyond max_deformation_px "
            f"({settings.max_deformation_px:g})"
        )
    if estimated and not values["residual_px"] <= settings.max_residual_px:
        return (
            f"estimated residual {values['residual_px']:.2f} px, above max_residual_px "
            f"({settings.max_residual_px:g})"
        )
    return ""


def explain(fixed: np.ndarray, free: np.ndarray) -> str:
    """Return what would make two images of one field fit: another ratio or orientation.

    Parameters
    ----------
    fixed, free
        (Y, X) input and target of one shape.

    Returns
    -------
    str
        A sentence with the ratio or orientation and its correlation, empty where none fits.
    """
    if min(fixed.shape) < BLOCK_PX:
        return ""
    match = match_field(fixed, free, 1.0)
    return match.reason if match.other else ""
