"""Batches as a pure function of seed and iteration."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from crossres.training.process_group import ProcessGroup

Images = np.ndarray | Sequence[np.ndarray]
"""Patches or fields: an array of them, in memory or mapped from a file, or one array each."""

CROP_TRIES = 10
"""How often an empty crop is redrawn; then the one with most foreground is taken."""


class Foreground(NamedTuple):
    """Which crops show enough: those with at least ``fraction`` of the target above ``level``.

    The level is on the normalised range of the target.
    """

    level: float
    fraction: float


ANY_CROP = Foreground(0.0, 0.0)


@dataclass(frozen=True)
class Sampling:
    """How batches are drawn from patches.

    Parameters
    ----------
    batch
        Patches in a batch; no patch is drawn twice for a batch if there are enough.
    augment
        Lay every patch into one of eight orientations in its plane, at random.
    seed
        Of all that is random.
    crop_px
        Side in y and x of a random crop of every patch, through all slices; None takes it whole.
    foreground
        Crops that do not show it are redrawn.
    """

    batch: int
    augment: bool
    seed: int
    crop_px: int | None = None
    foreground: Foreground = ANY_CROP


class Crop(NamedTuple):
    """A patch of a batch: its number, where the crop of it begins, and how that is laid.

    ``turns`` are of 90 degrees, as those of np.rot90; ``mirrored`` is along x, after them.
    """

    patch: int
    corner_px: tuple[int, int]
    turns: int
    mirrored: bool


def draw_crops(
    targets: Images, sampling: Sampling, iteration: int, group: ProcessGroup | None = None
) -> list[Crop]:
    """Return what a batch consists of.

    A batch depends only on seed and iteration: the batch of iteration 1,000 is the same whether
    training ran through or was resumed at 999. Several processes share that same batch.

    Parameters
    ----------
    targets
        (N, [Z,] Y, X) float32, memory maps or arrays; square in y and x if ``augment``.
    sampling
        How to draw.
    iteration
        Number of the iteration, from 0.
    group
        The processes that share the batch; each gets every ``world_size``-th patch.
    """
    size = sampling.batch
    rng = np.random.default_rng([sampling.seed, iteration])
    chosen = rng.choice(len(targets), size, replace=size > len(targets))
    turns, mirrors = rng.integers(0, 4, size), rng.integers(0, 2, size)
    corners = rng.random((size, CROP_TRIES, 2))
    group = group or ProcessGroup()
    crops = []
    for place in range(group.rank, size, group.world_size):
        corner = (0, 0)
        if sampling.crop_px is not None:
            corner = _corner(targets[chosen[place]], sampling, corners[place])
        laid = (int(turns[place]), bool(mirrors[place])) if sampling.augment else (0, False)
        crops.append(Crop(int(chosen[place]), corner, *laid))
    return crops


def _corner(target: np.ndarray, sampling: Sampling, corners: np.ndarray) -> tuple[int, int]:
    """Return where the first of some random crops begins that shows enough, else the best."""
    side, foreground = sampling.crop_px, sampling.foreground
    assert side is not None
    room = np.array(target.shape[-2:]) - side + 1
    best, most = (0, 0), -1.0
    for y, x in (corners * room).astype(int).tolist():
        if foreground.fraction <= 0:
            return y, x
        shown = target[..., y : y + side, x : x + side] > foreground.level
        part = float(np.mean(shown))
        if part > most:
            best, most = (y, x), part
        if part >= foreground.fraction:
            break
    return best


def draw_batch(
    inputs: Images,
    targets: Images,
    sampling: Sampling,
    iteration: int,
    group: ProcessGroup | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the patches of one iteration, (n, 1, [Z,] Y, X) float32 inputs and targets.

    Parameters as of :func:`draw_crops`. Of arrays mapped from a file, only the patches drawn are
    read.
    """
    pairs = []
    for crop in draw_crops(targets, sampling, iteration, group):
        pair = np.stack([inputs[crop.patch], targets[crop.patch]])
        if sampling.crop_px is not None:
            y, x = crop.corner_px
            pair = pair[..., y : y + sampling.crop_px, x : x + sampling.crop_px]
        pair = np.rot90(pair, crop.turns, axes=(-2, -1))
        pairs.append(pair[..., ::-1] if crop.mirrored else pair)
    x, y = torch.from_numpy(np.stack(pairs, axis=1))[:, :, None]
    return x, y


def in_best_order(images: Tensor) -> Tensor:
    """Return (N, C, [Z,] Y, X) with channels last in memory, the fastest order for convolutions.

    With one channel torch cannot tell the orders apart, and would go on in the other one.
    """
    order = torch.channels_last if images.ndim == 4 else torch.channels_last_3d
    return images.to(memory_format=order)
