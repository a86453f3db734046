"""Point-spread functions and cameras."""

from crossres.optics.born_wolf import born_wolf_psf
from crossres.optics.camera import detect
from crossres.optics.modality import modality_profile, modality_psf
from crossres.optics.radial import fwhm_of_profile, psf_from_profile

__all__ = [
    "born_wolf_psf",
    "detect",
    "fwhm_of_profile",
    "modality_profile",
    "modality_psf",
    "psf_from_profile",
]
