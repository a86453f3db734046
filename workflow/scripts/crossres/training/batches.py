"""Batches as a pure function of seed and iteration, prepared ahead of the step that needs them."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from crossres.training.process_group import ProcessGroup

AHEAD = 3
"""Batches prepared ahead."""

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


def draw_batch(
    inputs: Images,
    targets: Images,
    sampling: Sampling,
    iteration: int,
    group: ProcessGroup | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the patches of one iteration.

    A batch depends only on seed and iteration: the batch of iteration 1,000 is the same whether
    training ran through or was resumed at 999. Several processes share that same batch. Of arrays
    mapped from a file, only the patches drawn are read.

    Parameters
    ----------
    inputs, targets
        (N, [Z,] Y, X) float32, memory maps or arrays; square in y and x if ``augment``.
    sampling
        How to draw.
    iteration
        Number of the iteration, from 0.
    group
        The processes that share the batch; each gets every ``world_size``-th patch.

    Returns
    -------
    tuple of Tensor
        (n, 1, [Z,] Y, X) float32 inputs and targets.
    """
    size = sampling.batch
    rng = np.random.default_rng([sampling.seed, iteration])
    chosen = rng.choice(len(inputs), size, replace=size > len(inputs))
    turns, mirrors = rng.integers(0, 4, size), rng.integers(0, 2, size)
    corners = rng.random((size, CROP_TRIES, 2))
    group = group or ProcessGroup()
    pairs = []
    for place in range(group.rank, size, group.world_size):
        pair = np.stack([inputs[chosen[place]], targets[chosen[place]]])
        if sampling.crop_px is not None:
            pair = _crop(pair, sampling, corners[place])
        if sampling.augment:
            pair = np.rot90(pair, turns[place], axes=(-2, -1))
            pair = pair[..., ::-1] if mirrors[place] else pair
        pairs.append(pair)
    x, y = torch.from_numpy(np.stack(pairs, axis=1))[:, :, None]
    return x, y


def _crop(pair: np.ndarray, sampling: Sampling, corners: np.ndarray) -> np.ndarray:
    """Return the first of some random crops that shows enough, else the best of them."""
    side = sampling.crop_px
    assert side is not None
    room = np.array(pair.shape[-2:]) - side + 1
    best, most = pair[..., :side, :side], -1.0
    for y, x in (corners * room).astype(int):
        crop = pair[..., y : y + side, x : x + side]
        part = float(np.mean(crop[1] > sampling.foreground.level))
        if part > most:
            best, most = crop, part
        if part >= sampling.foreground.fraction:
            break
    return best


def batches_ahead(
    inputs: Images,
    targets: Images,
    sampling: Sampling,
    first: int,
    last: int,
    device: torch.device,
    group: ProcessGroup | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the batches of iterations ``first`` to ``last`` (not included), on the device.

    A thread draws them ahead and starts copying them to the device from pinned memory, so that
    no step waits for its data.
    """

    def prepare(iteration: int) -> tuple[Tensor, Tensor]:
        pair = draw_batch(inputs, targets, sampling, iteration, group)
        x, y = (in_best_order(t) for t in pair)
        if device.type == "cuda":
            x, y = (t.pin_memory().to(device, non_blocking=True) for t in (x, y))
        return x, y

    with ThreadPoolExecutor(max_workers=1) as thread:
        pending = [thread.submit(prepare, i) for i in range(first, min(first + AHEAD, last))]
        for iteration in range(first, last):
            batch = pending.pop(0).result()
            if iteration + AHEAD < last:
                pending.append(thread.submit(prepare, iteration + AHEAD))
            yield batch


def in_best_order(images: Tensor) -> Tensor:
    """Return (N, C, [Z,] Y, X) with channels last in memory, the fastest order for convolutions.

    With one channel torch cannot tell the orders apart, and would go on in the other one.
    """
    order = torch.channels_last if images.ndim == 4 else torch.channels_last_3d
    return images.to(memory_format=order)
