"""The PSF of every kind of microscope, from an experiment's settings."""

from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from crossres.optics.confocal import ConfocalResponse
from crossres.optics.radial import RADIUS_MAX_NM, psf_from_profile, radius_grid
from crossres.optics.response import Response
from crossres.optics.sted import STEDResponse
from crossres.optics.widefield import WidefieldResponse
from crossres.settings import STED, Confocal, Microscope, Widefield

RESPONSES: dict[type[Microscope], type[Response[Any]]] = {
    Widefield: WidefieldResponse,
    Confocal: ConfocalResponse,
    STED: STEDResponse,
}
"""How each kind images a point."""

LATERAL_WINDOW_NM = 3000.0
AXIAL_WINDOW = 2.0
"""Energies of a PSF count within this radius, and within this many times the distance of Born &
Wolf's first axial zero from the focus: in a wide field every slice has the same light, without
end."""


def response_of(microscope: Microscope) -> Response[Any]:
    """Return how a microscope images a point.

    Raises
    ------
    InputError
        A value that this kind needs is missing.
    """
    return RESPONSES[type(microscope)](microscope)


def modality_profile(microscope: Microscope) -> np.ndarray:
    """Return the radial PSF (R,) of a microscope in focus, peak 1, on ``radius_grid()``.

    Raises
    ------
    InputError
        A value that its kind needs is missing.
    """
    return response_of(microscope).profile()


def axial_zero_nm(microscope: Microscope) -> float:
    """Return where Born & Wolf's axial intensity of the emission is first zero: 2 n lambda / NA^2.

    References
    ----------
    Born & Wolf, Principles of Optics, 8.8.2: sinc^2(u / 4), u = 2 pi NA^2 z / (n lambda).
    """
    m = microscope
    return 2 * m.refractive_index * m.emission_nm / m.na**2


def modality_psf(
    microscope: Microscope,
    pixel_size_nm: float,
    z_step_nm: float | None = None,
    energy: float = 0.995,
) -> np.ndarray:
    """Return a microscope's PSF for deconvolution: odd sides, centred on ``n // 2``, sum 1.

    It is sampled at the centres of pixels and slices, not integrated over them.

    Parameters
    ----------
    microscope
        In one channel.
    pixel_size_nm
        Pixel size of the image that will be deconvolved.
    z_step_nm
        Distance of its slices, if it is a volume.
    energy
        Part of the PSF's energy that the array holds: laterally of that within 3 um, axially of
        that within twice the distance to Born & Wolf's first axial zero.

    Returns
    -------
    ndarray
        (N, N), or (Z, N, N) with ``z_step_nm``; float64, not negative.
    """
    response = response_of(microscope)
    if z_step_nm is None:
        profile = response.profile()
        half_px = _half_px(profile, pixel_size_nm, energy)
        psf = psf_from_profile(profile, (2 * half_px + 1, 2 * half_px + 1), pixel_size_nm)
    else:
        farthest = max(1, int(AXIAL_WINDOW * axial_zero_nm(microscope) // z_step_nm))
        slices = response.slices(np.arange(farthest + 1) * z_step_nm)
        light = slices @ np.where(radius_grid() <= LATERAL_WINDOW_NM, radius_grid(), 0.0)
        both = np.cumsum(np.append(light[0], 2 * light[1:]))
        slices = slices[: max(1, int(np.searchsorted(both, energy * both[-1]))) + 1]
        slices = np.concatenate([slices[:0:-1], slices])
        psf = _on_pixels(slices, _half_px(slices.sum(axis=0), pixel_size_nm, energy), pixel_size_nm)
    psf = np.clip(psf, 0, None)
    normalised: np.ndarray = psf / psf.sum()
    return normalised


def _half_px(profile: np.ndarray, pixel_size_nm: float, energy: float) -> int:
    """Return the pixels on either side of the centre that hold the energy."""
    radius = radius_grid()
    encircled = np.cumsum((profile * radius)[radius <= LATERAL_WINDOW_NM])
    reach_nm = radius[int(np.searchsorted(encircled, energy * encircled[-1]))]
    return max(3, int(np.ceil(reach_nm / pixel_size_nm)))


def _on_pixels(slices: np.ndarray, half_px: int, pixel_size_nm: float) -> np.ndarray:
    """Sample (Z, R) at pixel centres: (Z, Y, X) of 2 * half_px + 1 pixels a side."""
    offset = np.arange(-half_px, half_px + 1)
    squared, where = np.unique(offset[:, None] ** 2 + offset[None, :] ** 2, return_inverse=True)
    radius = np.sqrt(squared) * pixel_size_nm
    spline = CubicSpline(radius_grid(), slices, axis=1)
    values = np.where(radius <= RADIUS_MAX_NM, spline(np.minimum(radius, RADIUS_MAX_NM)), 0.0)
    return values[:, where.ravel()].reshape(len(slices), len(offset), len(offset))
