"""From photons to the numbers in a file."""

from collections.abc import Mapping

import numpy as np


def detect(
    photons: np.ndarray, camera: Mapping[str, float], rng: np.random.Generator
) -> np.ndarray:
    """Return what a detector writes for an expected number of photons a pixel.

    counts = round(gain * Poisson(photons + background) + offset + Normal(0, read noise)),
    clipped to the range of the bit depth.

    Parameters
    ----------
    photons
        Expected photons a pixel, any shape, not negative.
    camera
        ``background_photons`` a pixel, ``gain`` in counts a photon, ``offset`` and ``read_noise``
        in counts, ``bit_depth``.
    rng
        Source of the noise.

    Returns
    -------
    ndarray
        uint8 up to 8 bits, uint16 beyond, of the same shape.
    """
    arrived = rng.poisson(photons + camera["background_photons"])
    counts = camera["gain"] * arrived + camera["offset"]
    counts = counts + rng.normal(0.0, camera["read_noise"], photons.shape)
    top = 2 ** int(camera["bit_depth"]) - 1
    dtype = np.uint8 if top <= 255 else np.uint16
    return np.clip(np.round(counts), 0, top).astype(dtype)
