"""The image of a thick sample, given as layers, through any microscope."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import fft

from crossres.optics.microscope import response_of
from crossres.optics.response import Response
from crossres.settings import Microscope

OTF_STEPS = 60000
"""Steps of a transfer function's table; neighbours differ by less than 1e-3."""


def blur_layers(
    volume: np.ndarray,
    fine_nm: float,
    defocus_nm: np.ndarray,
    microscopes: Mapping[str, Microscope],
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
    microscopes
        By role, each in one channel; the pixels of its camera integrate over ``pixel_size_nm``.
    padding_nm
        Darkness around the sample, so that light leaving on one side does not enter on the other.

    Returns
    -------
    dict
        By role, (Y, X) float32; in a wide field with as much light as the volume.
    """
    padding_px = int(np.ceil(padding_nm / fine_nm))
    shape = [fft.next_fast_len(n + padding_px, real=True) for n in volume.shape[1:]]
    fy, fx = np.fft.fftfreq(shape[0], fine_nm), np.fft.rfftfreq(shape[1], fine_nm)
    frequency = np.hypot(fy[:, None], fx[None, :]).astype(np.float32)
    responses = {role: response_of(microscope) for role, microscope in microscopes.items()}
    entry, total = {}, {}
    for role, response in responses.items():
        step = response.cutoff_per_nm / OTF_STEPS
        entry[role] = np.minimum(np.rint(frequency / step), OTF_STEPS).astype(np.uint16)
        total[role] = np.zeros(frequency.shape, np.complex64)
    for layer, z_nm in zip(volume, defocus_nm, strict=True):
        spectrum = fft.rfft2(layer, shape)
        for role, response in responses.items():
            total[role] += spectrum * _otf_table(response, z_nm)[entry[role]]
    images = {}
    for role, microscope in microscopes.items():
        pixel_nm = microscope.pixel_size_nm
        assert pixel_nm is not None
        total[role] *= (np.sinc(fy * pixel_nm)[:, None] * np.sinc(fx * pixel_nm)).astype(np.float32)
        image = fft.irfft2(total.pop(role), shape)[: volume.shape[1], : volume.shape[2]]
        images[role] = np.ascontiguousarray(image)
    return images


def _otf_table(response: Response[Any], defocus_nm: float) -> np.ndarray:
    """Return (OTF_STEPS + 1,) float32: the transfer function from 0 to its cut-off."""
    cutoff = response.cutoff_per_nm
    coarse = np.linspace(0, cutoff, 2001)
    values = response.otf(coarse, float(defocus_nm))
    table: np.ndarray = np.interp(np.linspace(0, cutoff, OTF_STEPS + 1), coarse, values)
    return table.astype(np.float32)
