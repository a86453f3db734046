"""Which iteration's weights are kept, and by what they are judged."""

import numpy as np
import torch
from torch import Tensor, nn

VALIDATION_BATCH = 32


def restore_patches(network: nn.Module, inputs: np.ndarray, device: torch.device) -> np.ndarray:
    """Return (N, Y, X) restored patches of (N, Y, X) normalised inputs."""
    network.eval()
    restored = []
    with torch.inference_mode():
        for first in range(0, len(inputs), VALIDATION_BATCH):
            batch = np.ascontiguousarray(inputs[first : first + VALIDATION_BATCH, None])
            restored.append(network(torch.from_numpy(batch).to(device)).float().cpu().numpy()[:, 0])
    network.train()
    return np.concatenate(restored)


def radial_spectrum(patches: np.ndarray) -> np.ndarray:
    """Return the mean power over patches and directions, for radius 0 .. N // 2 of an N-px patch.

    A Hann window keeps the patch's border from filling the spectrum.
    """
    side = patches.shape[-1]
    window = np.outer(np.hanning(side), np.hanning(side))
    power = (np.abs(np.fft.fft2((patches - patches.mean()) * window)) ** 2).mean(axis=0)
    frequency = np.fft.fftfreq(side, 1 / side)
    radius = np.round(np.hypot(frequency[:, None], frequency[None, :])).astype(int)
    total = np.bincount(radius.ravel(), power.ravel())
    return (total / np.bincount(radius.ravel()))[: side // 2 + 1]


def spectrum_distance(restored: np.ndarray, target: np.ndarray) -> float:
    """Return how far the restored power spectrum lies from the target's: mean |log10 ratio|.

    Only frequencies count where the target shows signal, that is twice its noise floor, taken
    from its last quarter of frequencies. A blurred output lacks power there, an output with
    invented texture has too much.

    Parameters
    ----------
    restored, target
        (N, Y, X), square patches.
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
    inputs: np.ndarray,
    targets: np.ndarray,
    adversarial: bool,
    device: torch.device,
) -> dict[str, float]:
    """Judge a network on the validation patches.

    The stated rule: a network trained without a discriminator is judged by its validation MSE.
    One trained with a discriminator is judged by MSE over the target's variance plus the
    distance of the spectra. By MSE alone the blurred mean of all plausible answers wins, which
    is just what the adversarial term is there to leave behind; by the spectrum alone, texture
    in the wrong place would do.

    Returns
    -------
    dict
        ``validation_mse``, ``validation_spectrum_distance`` and ``validation_score``, of which
        the smallest score is kept.
    """
    restored = restore_patches(network, inputs, device)
    mse = float(np.mean((restored - targets) ** 2))
    distance = spectrum_distance(restored, targets)
    relative = mse / max(float(np.var(targets)), 1e-12)
    return {
        "validation_mse": mse,
        "validation_spectrum_distance": distance,
        "validation_score": relative + distance if adversarial else mse,
    }


def is_finite(value: Tensor | float) -> bool:
    """True for a finite scalar."""
    return bool(np.isfinite(float(value)))
