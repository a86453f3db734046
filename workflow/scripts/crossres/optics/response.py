"""How a microscope images a point of light: the base class of all kinds."""

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np
from scipy.interpolate import CubicSpline

from crossres.jobs import InputError
from crossres.optics.radial import frequency_grid, gaussian_spectrum, inverse_of, spectrum_of
from crossres.settings import Microscope

Kind = TypeVar("Kind", bound=Microscope)
FOCUS = np.zeros(1)


class Response(ABC, Generic[Kind]):
    """The image of a point by radius and by its distance from the focal plane.

    A kind of microscope is a subclass. Lengths are nm at the sample; profiles are (Z, R) on
    :func:`~crossres.optics.radial.radius_grid`, 1 on the axis in focus, and symmetric in z.

    Raises
    ------
    InputError
        A value that this kind needs is missing.
    """

    def __init__(self, microscope: Kind) -> None:
        missing = [key for key in microscope.needs if getattr(microscope, key) is None]
        if missing:
            kind = type(microscope).__name__.lower()
            raise InputError(
                f"a {kind} PSF needs {', '.join(missing)} in its modality; add the key"
            )
        self.microscope = microscope

    @abstractmethod
    def sharp_slices(self, z_nm: np.ndarray) -> np.ndarray:
        """Return (Z, R): the image without the residual blur."""

    def sharp_spectra(self, z_nm: np.ndarray) -> np.ndarray:
        """Return (Z, F): the 2D Fourier transform of each sharp slice, up to a factor."""
        return spectrum_of(self.sharp_slices(z_nm))

    @property
    def cutoff_per_nm(self) -> float:
        """Spatial frequency, in periods per nm, beyond which nothing is transferred."""
        return float(frequency_grid()[-1])

    @cached_property
    def _blur(self) -> np.ndarray | None:
        """(F,) spectrum of the residual blur."""
        blur_nm = self.microscope.residual_blur_nm
        return gaussian_spectrum(blur_nm) if blur_nm > 0 else None

    def slices(self, z_nm: np.ndarray) -> np.ndarray:
        """Return (Z, R): the image at some distances (Z,) from focus."""
        if self._blur is None:
            return self.sharp_slices(z_nm)
        return self.blurred_slices(z_nm, 1.0)

    def blurred_slices(self, z_nm: np.ndarray, spectrum: np.ndarray | float) -> np.ndarray:
        """Return (Z, R): the image convolved laterally with a blur of this spectrum (F,)."""
        blur = spectrum if self._blur is None else self._blur * spectrum
        focus = inverse_of(self.sharp_spectra(FOCUS)[0] * blur)[0]
        slices: np.ndarray = inverse_of(self.sharp_spectra(z_nm) * blur) / focus
        return slices

    def profile(self) -> np.ndarray:
        """Return (R,): the image in focus."""
        in_focus: np.ndarray = self.slices(FOCUS)[0]
        return in_focus

    def otf(self, frequency_per_nm: np.ndarray, z_nm: float) -> np.ndarray:
        """Return the optical transfer function of one slice.

        Parameters
        ----------
        frequency_per_nm
            Distances from frequency zero, any shape.
        z_nm
            Distance from the focal plane.

        Returns
        -------
        ndarray
            float64 of the same shape, 1 in focus at frequency zero.
        """
        spectra = self.sharp_spectra(np.array([0.0, z_nm]))
        values = spectra[1] / spectra[0, 0] * (1.0 if self._blur is None else self._blur)
        within = np.minimum(frequency_per_nm, frequency_grid()[-1])
        transfer: np.ndarray = CubicSpline(frequency_grid(), values)(within)
        return np.where(frequency_per_nm < self.cutoff_per_nm, transfer, 0.0)
