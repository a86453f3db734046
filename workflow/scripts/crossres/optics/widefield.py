"""The wide-field microscope: Born & Wolf's PSF."""

import numpy as np

from crossres.optics.born_wolf import airy_profile, born_wolf_slices
from crossres.optics.defocus import defocused_spectrum, slice_spectra
from crossres.optics.radial import radius_grid
from crossres.optics.response import Response
from crossres.settings import Widefield


class WidefieldResponse(Response[Widefield]):
    """Born & Wolf's PSF, every slice of which holds the same light."""

    def sharp_slices(self, z_nm: np.ndarray) -> np.ndarray:
        """Return (Z, R): the image without the residual blur."""
        m = self.microscope
        if not z_nm.any():
            airy = airy_profile(radius_grid(), m.emission_nm, m.na)
            return np.tile(airy, (len(z_nm), 1))
        return born_wolf_slices(radius_grid(), z_nm, m.emission_nm, m.na, m.refractive_index)

    def sharp_spectra(self, z_nm: np.ndarray) -> np.ndarray:
        """Return (Z, F), exactly: the rings reach beyond the grid of radii."""
        m = self.microscope
        return slice_spectra(z_nm, m.emission_nm, m.na, m.refractive_index)

    @property
    def cutoff_per_nm(self) -> float:
        """2 NA over the wavelength."""
        return 2 * self.microscope.na / self.microscope.emission_nm

    def otf(self, frequency_per_nm: np.ndarray, z_nm: float) -> np.ndarray:
        """Return the transfer function of one slice, exactly, 1 at frequency zero."""
        m = self.microscope
        values = defocused_spectrum(
            frequency_per_nm, m.emission_nm, m.na, m.refractive_index, float(z_nm)
        )
        sigma_nm = m.residual_blur_nm / np.sqrt(8 * np.log(2))
        transfer: np.ndarray = values * np.exp(-2 * (np.pi * sigma_nm * frequency_per_nm) ** 2)
        return transfer
