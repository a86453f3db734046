"""The image of a small ball of light, such as a bead, and how wide it is."""

from collections.abc import Callable

import numpy as np
from numpy.polynomial.hermite import hermgauss
from scipy.interpolate import CubicSpline

from crossres.optics.microscope import axial_zero_nm, modality_profile, response_of
from crossres.optics.radial import fwhm_of_profile, gaussian_spectrum, profile_of, spectrum_of
from crossres.settings import Microscope

FWHM_OF_SIGMA = 2 * np.sqrt(2 * np.log(2))
AXIAL_STEPS = 40
"""Slices between the focus and Born & Wolf's first axial zero; a cubic spline through as many is
off by less than 1e-4 of the peak."""


def ball_blur_fwhm_nm(diameter_nm: float) -> float:
    """Return the FWHM of the Gaussian with the variance of a ball, R^2 / 5 along any axis."""
    return float(diameter_nm / 2 / np.sqrt(5) * FWHM_OF_SIGMA)


def ball_profile(microscope: Microscope, diameter_nm: float) -> np.ndarray:
    """Return the radial image (R,) of a ball in focus, peak 1; the ball counts as flat."""
    blur = gaussian_spectrum(ball_blur_fwhm_nm(diameter_nm))
    return profile_of(spectrum_of(modality_profile(microscope)) * blur)


def ball_slices(
    microscope: Microscope, diameter_nm: float, reach_nm: float
) -> Callable[[np.ndarray], np.ndarray]:
    """Return the image of a ball as a function of its distance from the focal plane.

    Parameters
    ----------
    microscope
        In one channel.
    diameter_nm
        Of the ball; 0 for a point.
    reach_nm
        Greatest distance that will be asked for.

    Returns
    -------
    callable
        From distances (Z,), in nm, to (Z, R) on :func:`~crossres.optics.radial.radius_grid`, 1
        on the axis in focus.
    """
    step_nm = axial_zero_nm(microscope) / AXIAL_STEPS
    sigma_nm = ball_blur_fwhm_nm(diameter_nm) / FWHM_OF_SIGMA
    # the widest node of the blur lies at 2.02 sqrt(2) sigma, and a spline needs slices beyond
    z_nm = np.arange(int(np.ceil((reach_nm + 3 * sigma_nm) / step_nm)) + 3) * step_nm
    response = response_of(microscope)
    if diameter_nm > 0:
        blur = gaussian_spectrum(ball_blur_fwhm_nm(diameter_nm))
        slices = response.blurred_slices(z_nm, blur)
    else:
        slices = response.slices(z_nm)
    spline = CubicSpline(
        np.concatenate([-z_nm[:0:-1], z_nm]), np.concatenate([slices[:0:-1], slices])
    )
    node, weight = hermgauss(5 if diameter_nm > 0 else 1)

    def blurred(z_nm: np.ndarray) -> np.ndarray:
        shifted = z_nm + np.sqrt(2) * sigma_nm * node[:, None]
        return np.tensordot(weight / np.sqrt(np.pi), spline(shifted), 1)

    focus = blurred(np.zeros(1))[0, 0]
    return lambda z_nm: blurred(z_nm) / focus


def psf_fwhm_nm(microscope: Microscope, diameter_nm: float = 0.0) -> tuple[float, float]:
    """Return the full widths at half maximum of a microscope's 3D PSF through its centre.

    Parameters
    ----------
    microscope
        In one channel.
    diameter_nm
        Of the ball that is imaged; 0 for a point, the PSF itself.

    Returns
    -------
    lateral_nm, axial_nm : float
        Of the profiles through the centre, along a line in focus and along the optical axis.
    """
    reach_nm = 2 * axial_zero_nm(microscope)
    image = ball_slices(microscope, diameter_nm, reach_nm)
    z_nm = np.linspace(0.0, reach_nm, 2001)
    on_axis = image(z_nm)[:, 0]
    below = int(np.argmax(on_axis < 0.5))
    half_nm = np.interp(0.5, on_axis[[below, below - 1]], z_nm[[below, below - 1]])
    return fwhm_of_profile(image(np.zeros(1))[0]), float(2 * half_nm)
