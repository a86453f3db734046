"""Batches as a pure function of seed and iteration: what makes resuming exact."""

import numpy as np
import torch
from torch import Tensor


def draw_batch(
    inputs: np.ndarray,
    targets: np.ndarray,
    size: int,
    augment: bool,
    seed: int,
    iteration: int,
) -> tuple[Tensor, Tensor]:
    """Return the patches of one iteration.

    Nothing is remembered between calls: iteration 1,000 has the same batch whether training ran
    through or was resumed at 999.

    Parameters
    ----------
    inputs, targets
        (N, Y, X) float32, square where ``augment``.
    size
        Patches in a batch; drawn without repetition within it.
    augment
        Turn and mirror every patch into one of its eight orientations.
    seed, iteration
        What the batch is a function of.

    Returns
    -------
    tuple of Tensor
        (size, 1, Y, X) float32 inputs and targets.
    """
    rng = np.random.default_rng([seed, iteration])
    chosen = rng.choice(len(inputs), size, replace=size > len(inputs))
    pair = np.stack([inputs[chosen], targets[chosen]])
    if augment:
        for i, (turns, mirror) in enumerate(
            zip(rng.integers(0, 4, size), rng.integers(0, 2, size), strict=True)
        ):
            turned = np.rot90(pair[:, i], turns, axes=(1, 2))
            pair[:, i] = turned[..., ::-1] if mirror else turned
    x, y = torch.from_numpy(pair)[:, :, None]
    return x, y
