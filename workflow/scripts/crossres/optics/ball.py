"""The image of a small ball of light, such as a bead, and how wide it is."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.polynomial.hermite import hermgauss
from scipy import ndimage

from crossres.optics.microscope import axial_zero_nm, modality_profile, response_of
from crossres.optics.radial import (
    RADIUS_STEP_NM,
    fwhm_of_profile,
    gaussian_spectrum,
    profile_of,
    radius_grid,
    spectrum_of,
)
from crossres.settings import Microscope

FWHM_OF_SIGMA = 2 * np.sqrt(2 * np.log(2))
AXIAL_STEPS = 30
"""Slices between the focus and Born & Wolf's first axial zero; a cubic spline through as many is
off by less than 1e-4 of the peak."""


def ball_blur_fwhm_nm(diameter_nm: float) -> float:
    """Return the FWHM of the Gaussian with the variance of a ball, R^2 / 5 along any axis."""
    return float(diameter_nm / 2 / np.sqrt(5) * FWHM_OF_SIGMA)


def ball_profile(microscope: Microscope, diameter_nm: float) -> np.ndarray:
    """Return the radial image (R,) of a ball in focus, peak 1; the ball counts as flat."""
    blur = gaussian_spectrum(ball_blur_fwhm_nm(diameter_nm))
    return profile_of(spectrum_of(modality_profile(microscope)) * blur)


@dataclass(frozen=True)
class BallImage:
    """The image of a ball by its distance from the focal plane and from the optical axis.

    Parameters
    ----------
    slices
        (Z, R) on even steps of |z| from 0 and on :func:`~crossres.optics.radial.radius_grid`.
    z_step_nm
        Distance of the slices.
    """

    slices: np.ndarray
    z_step_nm: float

    @cached_property
    def _coefficients(self) -> np.ndarray:
        # mirrored at |z| = 0 and at the axis, about which the image is symmetric
        coefficients: np.ndarray = ndimage.spline_filter(self.slices, 3, mode="mirror")
        return coefficients

    def __call__(self, z_nm: np.ndarray, radius_nm: np.ndarray) -> np.ndarray:
        """Return the brightness at some places, whose shapes broadcast; dark beyond the radii."""
        z, radius = np.broadcast_arrays(np.abs(z_nm) / self.z_step_nm, radius_nm / RADIUS_STEP_NM)
        values = ndimage.map_coordinates(
            self._coefficients, [z, radius], order=3, mode="mirror", prefilter=False
        )
        return np.where(radius <= self.slices.shape[1] - 1, values, 0.0)

    def reach_nm(self, z_nm: np.ndarray, faint: float) -> float:
        """Return the radius within which any of these slices (Z,) exceeds ``faint``, or 0."""
        rows = np.minimum(np.rint(np.abs(z_nm) / self.z_step_nm).astype(int), len(self.slices) - 1)
        bright = np.flatnonzero((self.slices[rows] > faint).any(axis=0))
        return float(RADIUS_STEP_NM * (bright[-1] + 1)) if len(bright) else 0.0


@lru_cache(maxsize=8)
def ball_image(microscope: Microscope, diameter_nm: float, reach_nm: float) -> BallImage:
    """Return the image of a ball in any focal plane, 1 on the axis in focus.

    Parameters
    ----------
    microscope
        In one channel.
    diameter_nm
        Of the ball; 0 for a point.
    reach_nm
        Greatest distance from the focal plane that will be asked for.
    """
    step_nm = axial_zero_nm(microscope) / AXIAL_STEPS
    sigma_nm = ball_blur_fwhm_nm(diameter_nm) / FWHM_OF_SIGMA
    # a spline needs slices beyond, and the blur those of its outermost node, at 2.02 sqrt(2) sigma
    z_nm = np.arange(int(np.ceil((reach_nm + 3 * sigma_nm) / step_nm)) + 6) * step_nm
    response = response_of(microscope)
    if diameter_nm == 0:
        return BallImage(response.slices(z_nm), step_nm)
    blur = gaussian_spectrum(ball_blur_fwhm_nm(diameter_nm))
    sharp = BallImage(response.blurred_slices(z_nm, blur), step_nm)
    slices = np.zeros_like(sharp.slices)
    for node, weight in zip(*hermgauss(5), strict=True):
        shifted_nm = z_nm + np.sqrt(2) * sigma_nm * node
        slices += weight * sharp(shifted_nm[:, None], radius_grid())
    return BallImage(slices / slices[0, 0], step_nm)


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
    image = ball_image(microscope, diameter_nm, reach_nm)
    z_nm = np.linspace(0.0, reach_nm, 2001)
    on_axis = image(z_nm, np.zeros(1))
    below = int(np.argmax(on_axis < 0.5))
    half_nm = np.interp(0.5, on_axis[[below, below - 1]], z_nm[[below, below - 1]])
    return fwhm_of_profile(image.slices[0]), float(2 * half_nm)
