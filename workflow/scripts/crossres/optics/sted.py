"""The STED microscope: a confocal spot narrowed by a depletion doughnut."""

import numpy as np
from scipy.special import j1

from crossres.optics.confocal import ScanningResponse
from crossres.optics.radial import radius_grid
from crossres.settings import STED

PUPIL_RINGS = 200
"""Rings of the pupil over which the vortex is summed."""


def doughnut_slices(
    z_nm: np.ndarray, depletion_nm: float, na: float, refractive_index: float
) -> np.ndarray:
    """Return the intensity of a STED doughnut (a 2 pi vortex in the pupil).

    The scalar field of a vortex is int_0^1 J1(k NA r p) exp(-i k z NA^2 p^2 / 2n) p dp: zero on
    the axis at every depth, so that it narrows the spot laterally alone.

    Parameters
    ----------
    z_nm
        (Z,) distances from the focal plane.
    depletion_nm
        Wavelength.
    na, refractive_index
        Of the objective and its immersion.

    Returns
    -------
    ndarray
        (Z, R) on :func:`~crossres.optics.radial.radius_grid`; 1 at the ring's peak in focus.
    """
    rho = (np.arange(PUPIL_RINGS) + 0.5) / PUPIL_RINGS
    k = 2 * np.pi / depletion_nm
    bessel = j1(k * na * radius_grid()[:, None] * rho) * rho
    defocus = np.exp(-0.5j * k * z_nm[:, None] * (na * rho) ** 2 / refractive_index)
    slices: np.ndarray = np.abs(defocus @ bessel.T) ** 2 / np.max(bessel.sum(axis=1) ** 2)
    return slices


class STEDResponse(ScanningResponse[STED]):
    """The confocal image times what depletion leaves, exp(-ln 2 * saturation * doughnut).

    References
    ----------
    Harke et al., Opt. Express 16, 4154 (2008), eq. 1-3.
    """

    def sharp_slices(self, z_nm: np.ndarray) -> np.ndarray:
        """Return (Z, R): the image without the residual blur."""
        m = self.microscope
        assert m.depletion_nm is not None
        assert m.saturation_factor is not None
        doughnut = doughnut_slices(z_nm, m.depletion_nm, m.na, m.refractive_index)
        left = np.exp(-np.log(2) * m.saturation_factor * doughnut)
        slices: np.ndarray = self.confocal_slices(z_nm) * left
        return slices
