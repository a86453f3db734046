"""From photons to the numbers in a file."""

import numpy as np

from crossres.settings import Camera


def expected_counts(photons: np.ndarray, camera: Camera) -> np.ndarray:
    """Return the expected counts of a detector, without noise, clipping or rounding.

    counts = gain * (photons + background) + offset.

    Parameters
    ----------
    photons
        Expected photons a pixel, any shape.
    camera
        The detector.

    Returns
    -------
    ndarray
        float32 of the same shape.
    """
    counts = camera.gain * (photons + camera.background_photons) + camera.offset
    return counts.astype(np.float32)


def detect(photons: np.ndarray, camera: Camera, rng: np.random.Generator) -> np.ndarray:
    """Return what a detector writes for an expected number of photons a pixel.

    counts = round(gain * Poisson(photons + background) + offset + Normal(0, read noise)),
    clipped to the range of the bit depth.

    Parameters
    ----------
    photons
        Expected photons a pixel, any shape, not negative.
    camera
        The detector.
    rng
        Source of the noise.

    Returns
    -------
    ndarray
        uint8 up to 8 bits, uint16 beyond, of the same shape.
    """
    arrived = rng.poisson(photons + camera.background_photons)
    counts = camera.gain * arrived + camera.offset
    counts = counts + rng.normal(0.0, camera.read_noise, photons.shape)
    top = 2**camera.bit_depth - 1
    dtype = np.uint8 if top <= 255 else np.uint16
    return np.clip(np.round(counts), 0, top).astype(dtype)
