"""The confocal microscope: a laser spot that scans the sample, and a pinhole."""

from typing import TypeVar

import numpy as np

from crossres.optics.born_wolf import airy_profile, born_wolf_slices
from crossres.optics.defocus import slice_spectra
from crossres.optics.radial import disc_spectrum, inverse_of, radius_grid
from crossres.optics.response import Response
from crossres.settings import STED, Confocal

AIRY_UNIT = 1.22
"""Diameter of the Airy disc (first dark ring) over wavelength / NA."""

Scanned = TypeVar("Scanned", Confocal, STED)


class ScanningResponse(Response[Scanned]):
    """Excitation times detection, each by radius and distance from focus.

    The detection is the emission's Born & Wolf PSF convolved with the pinhole, a disc of
    ``pinhole_airy_units`` (1 AU = 1.22 wavelength / NA) projected into the sample.

    References
    ----------
    Wilson & Sheppard, Theory and Practice of Scanning Optical Microscopy, 1984. Settings:
    Wang et al. 2019, Methods (633 nm excitation, 1 AU at 645 nm).
    """

    def confocal_slices(self, z_nm: np.ndarray) -> np.ndarray:
        """Return (Z, R): the image without depletion and residual blur."""
        slices: np.ndarray = self._excitation(z_nm) * self._detection(z_nm)
        return slices

    def _excitation(self, z_nm: np.ndarray) -> np.ndarray:
        m = self.microscope
        assert m.excitation_nm is not None
        if not z_nm.any():
            return np.tile(airy_profile(radius_grid(), m.excitation_nm, m.na), (len(z_nm), 1))
        return born_wolf_slices(radius_grid(), z_nm, m.excitation_nm, m.na, m.refractive_index)

    def _detection(self, z_nm: np.ndarray) -> np.ndarray:
        m = self.microscope
        assert m.pinhole_airy_units is not None
        pinhole = disc_spectrum(m.pinhole_airy_units * AIRY_UNIT * m.emission_nm / m.na)
        heights_nm = np.append(0.0, z_nm)
        spectra = slice_spectra(heights_nm, m.emission_nm, m.na, m.refractive_index)
        detected = inverse_of(spectra * pinhole)
        slices: np.ndarray = detected[1:] / detected[0, 0]
        return slices


class ConfocalResponse(ScanningResponse[Confocal]):
    """The excitation spot times the detection through the pinhole."""

    def sharp_slices(self, z_nm: np.ndarray) -> np.ndarray:
        """Return (Z, R): the image without the residual blur."""
        return self.confocal_slices(z_nm)

    @property
    def cutoff_per_nm(self) -> float:
        """The sum of the cut-offs of excitation and emission."""
        m = self.microscope
        assert m.excitation_nm is not None
        return min(2 * m.na / m.excitation_nm + 2 * m.na / m.emission_nm, super().cutoff_per_nm)
