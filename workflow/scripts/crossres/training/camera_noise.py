"""Fresh noise of the target's camera, so that a discriminator judges structure and not noise.

A network that gives one answer for an input cannot draw noise. Where targets are noisy and its
restorations are not, the discriminator sees the noise alone, and the generator paints a pattern in
its place. Restorations with noise of the same kind leave nothing to tell but structure.
"""

import numpy as np
import torch
from torch import Tensor

from crossres.patches import TargetNoise

FLOOR = 0.25
"""Part of the variance of a dark pixel that a variance never falls below."""


class CameraNoise:
    """Draws noise whose variance is a line of the image, interpolated as targets were.

    Parameters
    ----------
    noise
        Of normalised targets.
    seed
        Noise depends on it, the iteration and the process, and on nothing else.
    device
        Where to compute.
    rank
        Of the process.
    """

    def __init__(self, noise: TargetNoise, seed: int, device: torch.device, rank: int = 0) -> None:
        self.noise, self.seed, self.device, self.rank = noise, seed, device, rank
        self.moves_px = np.array(noise.moves_px, float)

    def draw(self, images: Tensor, iteration: int, update: str) -> Tensor:
        """Return noise for some images.

        Parameters
        ----------
        images
            (N, 1, [Z, ]Y, X) restorations; no gradient passes through the noise.
        iteration
            Of the training.
        update
            ``generator`` or ``discriminator``: each has noise of its own.
        """
        role = ("generator", "discriminator").index(update)
        seeds = np.random.SeedSequence([self.seed, iteration, role, self.rank])
        chance = np.random.default_rng(seeds)
        stream = torch.Generator(self.device).manual_seed(int(chance.integers(2**62)))
        images = images.detach().float()
        variance = self.noise.per_level * images + self.noise.at_zero
        variance = variance.clamp_min(max(FLOOR * self.noise.at_zero, 0.0))
        white = torch.randn(images.shape, generator=stream, device=self.device)
        return self._interpolated(white * variance.sqrt(), chance)

    def _interpolated(self, noise: Tensor, chance: np.random.Generator) -> Tensor:
        """Pass noise through cubic splines, shifted as some training field was."""
        dy, dx, spread = self.moves_px[chance.integers(len(self.moves_px), size=len(noise))].T
        aside = chance.uniform(-1, 1, (2, len(noise))) * spread
        height, width = noise.shape[-2:]
        rows = spline_response(dy + aside[0], np.fft.fftfreq(height))[:, :, None]
        columns = spline_response(dx + aside[1], np.fft.rfftfreq(width))[:, None, :]
        response = torch.from_numpy(rows * columns).to(noise.device, torch.float32)
        response = response.reshape(len(noise), *[1] * (noise.ndim - 3), *response.shape[1:])
        passed: Tensor = torch.fft.irfft2(torch.fft.rfft2(noise) * response, s=(height, width))
        return passed


def spline_response(shift_px: np.ndarray, frequency: np.ndarray) -> np.ndarray:
    """Return how much a cubic spline passes of each frequency at a shift of a part of a pixel.

    |sum_k B(k - d) exp(-2 pi i f k)| / |sum_k B(k) exp(-2 pi i f k)| of the cubic B-spline B: 1
    at whole pixels.

    Parameters
    ----------
    shift_px
        (N,).
    frequency
        (F,) cycles a pixel.

    Returns
    -------
    ndarray
        (N, F).

    References
    ----------
    Unser, IEEE Signal Process. Mag. 16 (6), 22 (1999), eq. 9 and 16.
    """
    part = np.asarray(shift_px, float) % 1.0
    taps = np.arange(-1, 3)
    wave = np.exp(-2j * np.pi * np.outer(taps, frequency))
    moved = np.abs(cubic_b_spline(taps - part[:, None]) @ wave)
    response: np.ndarray = moved / np.abs(cubic_b_spline(taps.astype(float)) @ wave)
    return response


def cubic_b_spline(x: np.ndarray) -> np.ndarray:
    """Return the cubic B-spline, of support (-2, 2)."""
    x = np.abs(x)
    near = 2 / 3 - x**2 * (1 - x / 2)
    found: np.ndarray = np.where(x < 1, near, np.clip(2 - x, 0, None) ** 3 / 6)
    return found
