"""How a wide-field microscope blurs what lies out of its focal plane, as a transfer function."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy import fft

OVERLAP_NODES = 96
"""Gauss-Legendre nodes over the overlap of the pupils; as many are exact to 1e-6 for a defocus
of 60 um at NA 0.75 in air, twenty times what a flat sample shows."""

OTF_STEPS = 60000
"""Steps of a transfer function's table; neighbours differ by less than 1e-3."""


def defocused_spectrum(
    frequency_per_nm: np.ndarray,
    wavelength_nm: float,
    na: float,
    refractive_index: float,
    defocus_nm: float,
) -> np.ndarray:
    """Return the optical transfer function of a defocused wide-field microscope.

    It is the 2D Fourier transform of a slice of Born & Wolf's PSF, each slice with sum 1: 1 at
    frequency zero whatever the defocus (light is spread, not lost) and 0 from 2 NA / wavelength
    on. Multiplying by it blurs without cutting off the PSF's wide skirts, as any array of the
    PSF would.

    Parameters
    ----------
    frequency_per_nm
        Distances from frequency zero in periods per nm, any shape.
    wavelength_nm
        Emission wavelength in vacuum.
    na, refractive_index
        Of the objective and its immersion.
    defocus_nm
        Distance from the focal plane; its sign makes no difference.

    Returns
    -------
    ndarray
        float64 of the same shape; negative where contrast is reversed.

    References
    ----------
    Hopkins, Proc. R. Soc. A 231, 91 (1955): the autocorrelation of a pupil with the phase
    k z NA^2 p^2 / 2n. Two pupils at a distance s differ in phase by k z NA^2 s x / n, so that
    the integral over their overlap is left with one dimension; x = cos(t) - s / 2 smooths it.
    """
    s = np.minimum(np.asarray(frequency_per_nm, dtype=float) * wavelength_nm / na, 2.0)
    node, weight = leggauss(OVERLAP_NODES)
    limit = np.arccos(s / 2)[..., None]
    t = limit * (node + 1) / 2
    phase = 2 * np.pi / wavelength_nm * defocus_nm * na**2 / refractive_index
    overlap = np.sin(t) ** 2 * np.cos(phase * s[..., None] * (np.cos(t) - s[..., None] / 2))
    return 4 / np.pi * (limit[..., 0] / 2) * (overlap @ weight)


def blur_layers(
    volume: np.ndarray,
    fine_nm: float,
    defocus_nm: np.ndarray,
    modalities: Mapping[str, Mapping[str, Any]],
    padding_nm: float,
) -> dict[str, np.ndarray]:
    """Sum the layers of a sample, each blurred by its distance from the focal plane.

    Parameters
    ----------
    volume
        (Z, Y, X) float32 fluorophores.
    fine_nm
        Lateral pixel size.
    defocus_nm
        (Z,) distances of the layers from the focal plane.
    modalities
        By role: ``wavelength_nm``, ``na``, ``refractive_index`` and ``pixel_size_nm``, that of
        the camera, whose pixels integrate, and ``residual_blur_nm`` as in
        :func:`crossres.optics.modality_profile`.
    padding_nm
        Darkness around the sample, so that light leaving on one side does not enter on the other.

    Returns
    -------
    dict
        By role, (Y, X) float32 with as much light as the volume.
    """
    padding_px = int(np.ceil(padding_nm / fine_nm))
    shape = [fft.next_fast_len(n + padding_px, real=True) for n in volume.shape[1:]]
    fy, fx = np.fft.fftfreq(shape[0], fine_nm), np.fft.rfftfreq(shape[1], fine_nm)
    frequency = np.hypot(fy[:, None], fx[None, :]).astype(np.float32)
    entry, total = {}, {}
    for role, modality in modalities.items():
        step = 2 * modality["na"] / modality["wavelength_nm"] / OTF_STEPS
        entry[role] = np.minimum(np.rint(frequency / step), OTF_STEPS).astype(np.uint16)
        total[role] = np.zeros(frequency.shape, np.complex64)
    for layer, z_nm in zip(volume, defocus_nm, strict=True):
        spectrum = fft.rfft2(layer, shape)
        for role, modality in modalities.items():
            total[role] += spectrum * _otf_table(modality, z_nm)[entry[role]]
    images = {}
    for role, modality in modalities.items():
        pixel_nm = modality["pixel_size_nm"]
        total[role] *= (np.sinc(fy * pixel_nm)[:, None] * np.sinc(fx * pixel_nm)).astype(np.float32)
        image = fft.irfft2(total.pop(role), shape)[: volume.shape[1], : volume.shape[2]]
        images[role] = np.ascontiguousarray(image)
    return images


def _otf_table(modality: Mapping[str, Any], defocus_nm: float) -> np.ndarray:
    """Return (OTF_STEPS + 1,) float32: the transfer function from 0 to its cut-off."""
    cutoff = 2 * modality["na"] / modality["wavelength_nm"]
    coarse = np.linspace(0, cutoff, 2001)
    values = defocused_spectrum(
        coarse,
        modality["wavelength_nm"],
        modality["na"],
        modality["refractive_index"],
        float(defocus_nm),
    )
    sigma_nm = (modality.get("residual_blur_nm") or 0.0) / np.sqrt(8 * np.log(2))
    values = values * np.exp(-2 * (np.pi * sigma_nm * coarse) ** 2)
    return np.interp(np.linspace(0, cutoff, OTF_STEPS + 1), coarse, values).astype(np.float32)
