"""Batches as a pure function of seed and iteration, prepared ahead of the step that needs them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from crossres.training.team import Team

AHEAD = 3
"""Batches prepared ahead."""

CROP_TRIES = 10
"""How often an empty crop is drawn anew; then the one that shows most is taken, so it ends."""


@dataclass(frozen=True)
class Sampling:
    """How batches are drawn from patches.

    Parameters
    ----------
    batch
        Patches in a batch; drawn without repetition within it where there are as many.
    augment
        Turn every patch in its plane and mirror it: one of eight orientations, by chance.
    crop_px
        Side in y and x of a random crop of every patch; None takes it whole.
    foreground_level, foreground_fraction
        A crop is drawn anew where less than this part of its target exceeds this level.
    seed
        Of all chance.
    """

    batch: int
    augment: bool
    seed: int
    crop_px: int | None = None
    foreground_level: float = 0.25
    foreground_fraction: float = 0.0


def draw_batch(
    inputs: np.ndarray,
    targets: np.ndarray,
    sampling: Sampling,
    iteration: int,
    team: Team | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the patches of one iteration.

    Nothing is remembered between calls: iteration 1,000 has the same batch whether training ran
    through or was resumed at 999. Several processes get parts of that same batch.

    Parameters
    ----------
    inputs, targets
        (N, [Z,] Y, X) float32, square in y and x where they are turned.
    sampling
        How to draw.
    iteration
        What, beside the seed, the batch is a function of.
    team
        The processes that share the batch.

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
    mine = range(size) if team is None else range(team.rank, size, team.size)
    pairs = []
    for place in mine:
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
    """Return the first of some random crops that shows enough, else the one that shows most."""
    side = sampling.crop_px
    assert side is not None
    room = np.array(pair.shape[-2:]) - side + 1
    best, most = pair[..., :side, :side], -1.0
    for y, x in (corners * room).astype(int):
        crop = pair[..., y : y + side, x : x + side]
        part = float(np.mean(crop[1] > sampling.foreground_level))
        if part > most:
            best, most = crop, part
        if part >= sampling.foreground_fraction:
            break
    return best


def batches_ahead(
    inputs: np.ndarray,
    targets: np.ndarray,
    sampling: Sampling,
    first: int,
    last: int,
    device: torch.device,
    team: Team | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the batches of iterations ``first`` to ``last`` (not included), on the device.

    A thread draws them ahead and starts their way to the device from pinned memory, so that no
    step waits for its data.
    """

    def prepare(iteration: int) -> tuple[Tensor, Tensor]:
        pair = draw_batch(inputs, targets, sampling, iteration, team)
        x, y = (in_best_order(t) for t in pair)
        if device.type == "cuda":
            x, y = (t.pin_memory().to(device, non_blocking=True) for t in (x, y))
        return x, y

    with ThreadPoolExecutor(max_workers=1) as thread:
        waiting = [thread.submit(prepare, i) for i in range(first, min(first + AHEAD, last))]
        for iteration in range(first, last):
            batch = waiting.pop(0).result()
            if iteration + AHEAD < last:
                waiting.append(thread.submit(prepare, iteration + AHEAD))
            yield batch


def in_best_order(images: Tensor) -> Tensor:
    """Return (N, C, [Z,] Y, X) with the channels last in memory, as convolutions like it best.

    Of one channel both orders look alike to torch, which then takes the other one on.
    """
    order = torch.channels_last if images.ndim == 4 else torch.channels_last_3d
    return images.to(memory_format=order)
