"""Point-spread functions and cameras."""

from crossres.optics.ball import BallImage, ball_image, ball_profile, psf_fwhm_nm
from crossres.optics.born_wolf import born_wolf_psf
from crossres.optics.camera import detect, expected_counts
from crossres.optics.microscope import (
    RESPONSES,
    axial_zero_nm,
    modality_profile,
    modality_psf,
    response_of,
)
from crossres.optics.radial import fwhm_of_profile, psf_from_profile

__all__ = [
    "RESPONSES",
    "BallImage",
    "axial_zero_nm",
    "ball_image",
    "ball_profile",
    "born_wolf_psf",
    "detect",
    "expected_counts",
    "fwhm_of_profile",
    "modality_profile",
    "modality_psf",
    "psf_from_profile",
    "psf_fwhm_nm",
    "response_of",
]
