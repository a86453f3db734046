"""The focal-plane PSF of a whole microscope, from the optics in an experiment's file."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import j1

from crossres.jobs import InputError
from crossres.optics.born_wolf import airy_profile
from crossres.optics.radial import (
    airy_spectrum,
    disc_spectrum,
    gaussian_spectrum,
    profile_of,
    psf_from_profile,
    radius_grid,
    spectrum_of,
)

AIRY_UNIT = 1.22
"""Diameter of the Airy disc (first dark ring) over wavelength / NA."""


def confocal_profile(
    wavelength_nm: float, excitation_nm: float, na: float, pinhole_airy_units: float
) -> np.ndarray:
    """Return the radial PSF of a confocal microscope in focus, peak 1.

    Excitation spot times detection, the detection PSF being the emission's Airy pattern
    convolved with the pinhole projected into the sample.

    Parameters
    ----------
    wavelength_nm
        Emission wavelength.
    excitation_nm
        Excitation wavelength.
    na
        Numerical aperture.
    pinhole_airy_units
        Pinhole diameter in Airy units of the emission (1 AU = 1.22 wavelength / NA).

    References
    ----------
    Wilson & Sheppard, Theory and Practice of Scanning Optical Microscopy, 1984. Settings:
    Wang et al. 2019, Methods (633 nm excitation, 1 AU at 645 nm).
    """
    pinhole_nm = pinhole_airy_units * AIRY_UNIT * wavelength_nm / na
    detection = profile_of(airy_spectrum(wavelength_nm, na) * disc_spectrum(pinhole_nm))
    return airy_profile(radius_grid(), excitation_nm, na) * detection


def depletion_profile(depletion_nm: float, na: float) -> np.ndarray:
    """Return the radial intensity of a STED doughnut (2 pi vortex in the pupil), peak 1.

    The scalar focal field of a vortex is int_0^1 J1(k NA r p) p dp: zero on the axis.
    """
    rho = (np.arange(200) + 0.5) / 200
    k_na = 2 * np.pi * na / depletion_nm
    field = j1(k_na * radius_grid()[:, None] * rho) @ rho
    return field**2 / np.max(field**2)


def sted_profile(
    wavelength_nm: float,
    excitation_nm: float,
    na: float,
    pinhole_airy_units: float,
    depletion_nm: float,
    saturation_factor: float,
) -> np.ndarray:
    """Return the radial PSF of a STED microscope in focus, peak 1.

    The confocal PSF times what depletion leaves, exp(-ln 2 * saturation_factor * doughnut).

    Parameters
    ----------
    wavelength_nm, excitation_nm, na, pinhole_airy_units
        As in :func:`confocal_profile`.
    depletion_nm
        Wavelength of the depletion beam.
    saturation_factor
        Peak intensity of the doughnut over the one that halves the fluorescence.

    References
    ----------
    Harke et al., Opt. Express 16, 4154 (2008), eq. 1-3.
    """
    confocal = confocal_profile(wavelength_nm, excitation_nm, na, pinhole_airy_units)
    doughnut = depletion_profile(depletion_nm, na)
    return confocal * np.exp(-np.log(2) * saturation_factor * doughnut)


def modality_profile(modality: Mapping[str, Any]) -> np.ndarray:
    """Return the radial PSF of a microscope as its experiment describes it, peak 1.

    Parameters
    ----------
    modality
        The settings of ``modalities.input`` or ``modalities.target``; ``kind`` is widefield
        (Born & Wolf in focus), confocal or sted. ``residual_blur_nm`` is the FWHM of a Gaussian
        for what the optics alone do not explain.

    Raises
    ------
    InputError
        A wavelength that the kind needs is missing.
    """
    kind = modality["kind"]
    needs = {
        "widefield": (),
        "confocal": ("excitation_nm", "pinhole_airy_units"),
        "sted": ("excitation_nm", "pinhole_airy_units", "depletion_nm", "saturation_factor"),
    }[kind]
    missing = [key for key in ("wavelength_nm", "na", *needs) if modality.get(key) is None]
    if missing:
        raise InputError(f"a {kind} PSF needs {', '.join(missing)} in its modality; add the key")
    arguments = {key: modality[key] for key in ("wavelength_nm", "na", *needs)}
    if kind == "widefield":
        profile = airy_profile(radius_grid(), **arguments)
    elif kind == "confocal":
        profile = confocal_profile(**arguments)
    else:
        profile = sted_profile(**arguments)
    blur_nm = modality.get("residual_blur_nm") or 0.0
    if blur_nm > 0:
        spectrum = airy_spectrum(modality["wavelength_nm"], modality["na"])
        spectrum = spectrum if kind == "widefield" else spectrum_of(profile)
        profile = profile_of(spectrum * gaussian_spectrum(blur_nm))
    return profile


def modality_psf(
    modality: Mapping[str, Any], pixel_size_nm: float, energy: float = 0.995
) -> np.ndarray:
    """Return a microscope's PSF for deconvolution: odd square, centred, sum 1.

    Parameters
    ----------
    modality
        As in :func:`modality_profile`.
    pixel_size_nm
        Pixel size of the image that will be deconvolved.
    energy
        Part of the PSF's energy within 3 um that the array holds.

    Returns
    -------
    ndarray
        (N, N) float64, N odd.
    """
    profile = modality_profile(modality)
    radius = radius_grid()
    within = radius <= 3000.0
    encircled = np.cumsum((profile * radius)[within])
    reach_nm = radius[int(np.searchsorted(encircled, energy * encircled[-1]))]
    half_px = max(3, int(np.ceil(reach_nm / pixel_size_nm)))
    psf = psf_from_profile(profile, (2 * half_px + 1, 2 * half_px + 1), pixel_size_nm)
    psf = np.clip(psf, 0, None)
    return psf / psf.sum()
