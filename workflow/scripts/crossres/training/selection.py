"""Validation, and which iteration's weights are kept."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.fft
import torch
from torch import Tensor, nn

from crossres.catalogue.adversarial import Term
from crossres.networks.files import clone_weights
from crossres.restoration import Inference, NotFinite, restore
from crossres.training.batches import Images
from crossres.training.losses import FIDELITY

BINS = 64
"""Rings of the radial spectrum between 0 and half a cycle a pixel."""

SCORES = (
    "validation_mse",
    "validation_relative_mse",
    "validation_spectrum_distance",
    "validation_score",
)

CPU_MEMORY_GB = 2.0
"""Memory for the validation of a field on a CPU; larger fields are restored in tiles."""


def radial_spectrum(images: Images) -> np.ndarray:
    """Return the mean power of some images over directions, for 64 rings of spatial frequency.

    A Hann window keeps the image borders out of the spectrum. Images may differ in size: power is
    per pixel, and the rings are the same for all.

    Parameters
    ----------
    images
        ([Z,] Y, X) each; each slice of a volume is an image.

    Returns
    -------
    ndarray
        (64,): ring i holds frequencies around (i + 0.5) / 128 cycles a pixel.
    """
    total, count = np.zeros(BINS), np.zeros(BINS)
    for image in images:
        window, ring = _window_and_rings(image.shape[-2], image.shape[-1])
        for plane in image.reshape(-1, *image.shape[-2:]):
            transform = scipy.fft.rfft2((plane - plane.mean()) * window.astype(plane.dtype))
            power = (transform.real**2 + transform.imag**2) / plane.size
            total += np.bincount(ring, power.ravel(), BINS + 1)[:BINS]
            count += np.bincount(ring, minlength=BINS + 1)[:BINS]
    return total / np.maximum(count, 1)


@lru_cache(maxsize=8)
def _window_and_rings(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a Hann window, and the ring of each frequency of the transform."""
    window = np.outer(np.hanning(height), np.hanning(width))
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    return window, np.minimum((radius * 2 * BINS).astype(int), BINS).ravel()


def spectrum_distance(restored: np.ndarray, target: np.ndarray) -> float:
    """Return the distance of a power spectrum from the target's: mean |log10 ratio|.

    Only frequencies at which the target exceeds twice its noise floor count; the floor is the
    median of its highest quarter of frequencies. A blurred output lacks power there, an output
    with invented texture has too much.

    Parameters
    ----------
    restored, target
        (64,) from :func:`radial_spectrum`.
    """
    floor = float(np.median(target[-len(target) // 4 :]))
    signal = target > 2 * floor
    signal[0] = False
    if not signal.any():
        return 0.0
    ratio = np.maximum(restored[signal], 1e-20) / target[signal]
    return float(np.mean(np.abs(np.log10(ratio))))


class Validation:
    """Scores a network on the whole validation fields.

    Without a discriminator the score is the network's own loss. With one it is the MSE over the
    target's variance plus the distance of the spectra. By MSE alone the blurred mean of all
    plausible answers would win, which the adversarial term is there to avoid; by the spectrum
    alone, texture in the wrong place would do.

    Parameters
    ----------
    inputs, targets
        Fields, ([Z,] Y, X) each, normalised.
    loss
        Weights of the terms of the loss.
    adversarial
        Is the network trained with a discriminator?
    device
        Where to compute.
    half_precision
        Whether a GPU may restore in bfloat16.
    """

    def __init__(
        self,
        inputs: Images,
        targets: Images,
        loss: Mapping[Term, float],
        adversarial: bool,
        device: torch.device,
        half_precision: bool = True,
    ) -> None:
        self.inputs, self.targets, self.adversarial = inputs, targets, adversarial
        self.loss: dict[str, float] = {name: weight for name, weight in loss.items() if weight > 0}
        self.device, self.half_precision = device, half_precision
        self.memory_gb = CPU_MEMORY_GB if device.type == "cpu" else None
        self.pixels = sum(target.size for target in targets)
        mean = sum(float(np.sum(t)) for t in targets) / self.pixels
        self.variance = sum(float(np.sum((t - mean) ** 2)) for t in targets) / self.pixels
        self.spectrum = radial_spectrum(targets)

    def scores(self, network: nn.Module) -> dict[str, float]:
        """Score a network, and leave it ready for training.

        Returns
        -------
        dict
            ``validation_mse``, ``validation_relative_mse`` (over the targets' variance),
            ``validation_spectrum_distance`` and ``validation_score``, the lower the better. All
            are infinite if an output is not finite.
        """
        inference = Inference(network, self.device, self.half_precision)
        try:
            restored = [
                restore(inference, image, memory_gb=self.memory_gb) for image in self.inputs
            ]
        except NotFinite:
            return dict.fromkeys(SCORES, math.inf)
        finally:
            network.train()
        pairs = list(zip(restored, self.targets, strict=True))
        mse = sum(float(np.sum((r - t) ** 2)) for r, t in pairs) / self.pixels
        relative = mse / max(self.variance, 1e-12)
        distance = spectrum_distance(radial_spectrum(restored), self.spectrum)
        score = relative + distance if self.adversarial else self._loss(pairs, mse)
        return dict(zip(SCORES, (mse, relative, distance, score), strict=True))

    def _loss(self, pairs: Sequence[tuple[np.ndarray, np.ndarray]], mse: float) -> float:
        """Return the network's own loss, as a mean over all pixels."""
        total = self.loss.get("mse", 0.0) * mse
        terms = {name: weight for name, weight in self.loss.items() if name != "mse"}
        for pair in pairs if terms else []:
            x, y = (torch.tensor(image)[None, None].to(self.device) for image in pair)
            part = pair[0].size / self.pixels
            total += sum(w * part * float(FIDELITY[name](x, y)) for name, w in terms.items())
        return total


@dataclass
class Best:
    """The weights with the best validation score so far."""

    score: float = math.inf
    iteration: int = -1
    weights: dict[str, Tensor] = field(default_factory=dict)

    def consider(self, score: float, iteration: int, network: nn.Module) -> None:
        """Keep the network's weights if their score is the lowest."""
        if score < self.score:
            self.score, self.iteration = score, iteration
            self.weights = clone_weights(network)

    def __str__(self) -> str:
        if self.iteration < 0:
            return "no model had been validated yet"
        return f"the best model until then, of iteration {self.iteration}, is kept"

    def state(self) -> dict[str, Any]:
        """Return the state for the side file."""
        return {"score": self.score, "iteration": self.iteration, "weights": self.weights}
