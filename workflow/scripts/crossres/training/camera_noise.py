"""Fresh noise of the target's camera, so that a discriminator judges structure and not noise.

A network that gives one answer for an input cannot draw noise. Where targets are noisy and its
restorations are not, the discriminator sees the noise alone, and the generator paints a pattern in
its place. Restorations with noise of the same kind leave nothing to tell but structure.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from crossres.patches import TargetNoise

FLOOR = 0.25
"""Part of the variance of a dark pixel that a variance never falls below."""


class Drawn(NamedTuple):
    """White noise, and what interpolation passes of each frequency along y and along x."""

    white: Tensor
    rows: Tensor
    columns: Tensor


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
        self.drawn: dict[str, Drawn] = {}

    def draw(self, shape: Sequence[int], iteration: int, update: str) -> None:
        """Draw what is random of an iteration's noise, in place of what was drawn before.

        Parameters
        ----------
        shape
            (N, 1, [Z, ]Y, X) of the restorations, the same in all iterations.
        iteration
            Of the training.
        update
            ``generator`` or ``discriminator``: each has noise of its own.
        """
        role = ("generator", "discriminator").index(update)
        seeds = np.random.SeedSequence([self.seed, iteration, role, self.rank])
        chance = np.random.default_rng(seeds)
        seed = int(chance.integers(2**62))
        stream = torch.Generator(self.device).manual_seed(seed)
        rows, columns = self._responses(shape, chance)
        if update not in self.drawn:
            empty = (torch.empty(t, device=self.device) for t in (shape, rows.shape, columns.shape))
            self.drawn[update] = Drawn(*empty)
        drawn = self.drawn[update]
        drawn.white.normal_(generator=stream)
        for place, response in ((drawn.rows, rows), (drawn.columns, columns)):
            own = response.pin_memory() if self.device.type == "cuda" else response
            place.copy_(own, non_blocking=True)

    def _responses(
        self, shape: Sequence[int], chance: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        """Return what cubic splines pass, shifted as some training field was, along y and x."""
        count, (height, width) = shape[0], shape[-2:]
        dy, dx, spread = self.moves_px[chance.integers(len(self.moves_px), size=count)].T
        aside = chance.uniform(-1, 1, (2, count)) * spread
        rows = spline_response(dy + aside[0], np.fft.fftfreq(height))
        columns = spline_response(dx + aside[1], np.fft.rfftfreq(width))
        lead = [count, *[1] * (len(shape) - 3)]
        return (
            torch.from_numpy(rows).float().reshape(*lead, -1, 1),
            torch.from_numpy(columns).float().reshape(*lead, 1, -1),
        )

    def on(self, images: Tensor, update: str) -> Tensor:
        """Return noise for some images, from what was drawn last; no gradient passes through it.

        Parameters
        ----------
        images
            (N, 1, [Z, ]Y, X) restorations.
        update
            As of :meth:`draw`.
        """
        drawn = self.drawn[update]
        images = images.detach().float()
        variance = self.noise.per_level * images + self.noise.at_zero
        variance = variance.clamp_min(max(FLOOR * self.noise.at_zero, 0.0))
        noise = drawn.white * variance.sqrt()
        spectrum = torch.fft.rfft2(noise) * drawn.rows * drawn.columns
        passed: Tensor = torch.fft.irfft2(spectrum, s=noise.shape[-2:])
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
