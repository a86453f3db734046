"""Which iteration's weights are kept, and by what they are judged."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from crossres.restoration import restore

BINS = 64
"""Rings of the radial spectrum between 0 and half a cycle a pixel."""

MEMORY_GB = 2.0
"""Memory that the validation of a field may take; larger fields are restored in tiles."""


def radial_spectrum(images: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean power of some images over directions, for 64 rings of spatial frequency.

    A Hann window keeps an image's border from filling its spectrum. Images may differ in size:
    power is per pixel, and the rings are the same for all.

    Parameters
    ----------
    images
        ([Z,] Y, X) each; the slices of a volume count as images.

    Returns
    -------
    ndarray
        (64,): ring i holds frequencies around (i + 0.5) / 128 cycles a pixel.
    """
    total, count = np.zeros(BINS), np.zeros(BINS)
    for image in images:
        height, width = image.shape[-2:]
        window = np.outer(np.hanning(height), np.hanning(width))
        radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
        ring = np.minimum((radius * 2 * BINS).astype(int), BINS).ravel()
        for plane in image.reshape(-1, height, width):
            power = np.abs(np.fft.rfft2((plane - plane.mean()) * window)) ** 2 / plane.size
            total += np.bincount(ring, power.ravel(), BINS + 1)[:BINS]
            count += np.bincount(ring, minlength=BINS + 1)[:BINS]
    return total / np.maximum(count, 1)


def spectrum_distance(restored: Sequence[np.ndarray], target: Sequence[np.ndarray]) -> float:
    """Return how far the restored power spectrum lies from the target's: mean |log10 ratio|.

    Only frequencies count where the target shows signal, that is twice its noise floor, taken
    from its last quarter of frequencies. A blurred output lacks power there, an output with
    invented texture has too much.

    Parameters
    ----------
    restored, target
        Fields, ([Z,] Y, X) each.
    """
    wanted, found = radial_spectrum(target), radial_spectrum(restored)
    floor = float(np.median(wanted[-len(wanted) // 4 :]))
    signal = wanted > 2 * floor
    signal[0] = False
    if not signal.any():
        return 0.0
    ratio = np.maximum(found[signal], 1e-20) / wanted[signal]
    return float(np.mean(np.abs(np.log10(ratio))))


def validate(
    network: nn.Module,
    inputs: Sequence[np.ndarray],
    targets: Sequence[np.ndarray],
    adversarial: bool,
    device: torch.device,
) -> dict[str, float]:
    """Judge a network on the whole validation fields.

    The stated rule: a network trained without a discriminator is judged by its validation MSE.
    One trained with a discriminator is judged by MSE over the target's variance plus the
    distance of the spectra. By MSE alone the blurred mean of all plausible answers wins, which
    is just what the adversarial term is there to leave behind; by the spectrum alone, texture
    in the wrong place would do.

    Parameters
    ----------
    network
        What is judged; it is left ready for training.
    inputs, targets
        Fields, ([Z,] Y, X) each, normalised.
    adversarial
        Was it trained with a discriminator?
    device
        Where to compute.

    Returns
    -------
    dict
        ``validation_mse``, ``validation_spectrum_distance`` and ``validation_score``, of which
        the smallest score is kept; ``validation_relative_mse`` is the MSE over the targets'
        variance.
    """
    restored = [restore(network, field, device=device, memory_gb=MEMORY_GB) for field in inputs]
    network.train()
    pixels = sum(target.size for target in targets)
    square = sum(float(np.sum((r - t) ** 2)) for r, t in zip(restored, targets, strict=True))
    mean = sum(float(np.sum(t)) for t in targets) / pixels
    variance = sum(float(np.sum((t - mean) ** 2)) for t in targets) / pixels
    mse, distance = square / pixels, spectrum_distance(restored, targets)
    relative = mse / max(variance, 1e-12)
    return {
        "validation_mse": mse,
        "validation_relative_mse": relative,
        "validation_spectrum_distance": distance,
        "validation_score": relative + distance if adversarial else mse,
    }
