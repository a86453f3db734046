"""Drawing patch positions in a field, empty ones rejected."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import uniform_filter

TRIES_PER_PATCH = 20
"""How often an empty position is drawn anew before a field is taken to hold no more."""


def draw_positions(
    target: np.ndarray,
    size_px: int,
    count: int,
    foreground_level: float,
    foreground_fraction: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw random patch positions, keeping those that show something.

    A patch counts as foreground where at least ``foreground_fraction`` of its pixels exceed
    ``foreground_level``. The search ends after a fixed number of draws, so that an empty field
    gives fewer patches, or none, and never an endless loop.

    Parameters
    ----------
    target
        (Y, X) normalised target, 0 to 1 between its percentiles.
    size_px
        Side of the square patch.
    count
        How many are wanted.
    foreground_level
        On the normalised range.
    foreground_fraction
        Part of the patch's pixels, 0 accepts everything.
    rng
        Source of chance.

    Returns
    -------
    ndarray
        (N, 2) int, (y, x) of the top left pixel, N at most ``count``.

    References
    ----------
    Chen et al. 2021, Methods: foreground is 0.25 of the normalised range, and half the voxels
    must exceed it; for sparse beads the fraction is far lower.
    """
    height, width = target.shape
    drawn = np.column_stack(
        [
            rng.integers(0, height - size_px + 1, count * TRIES_PER_PATCH),
            rng.integers(0, width - size_px + 1, count * TRIES_PER_PATCH),
        ]
    )
    bright = (target > foreground_level).astype(np.float64)
    # uniform_filter centres a window of side n on n // 2: [y + n // 2] holds the patch at y
    share = uniform_filter(bright, size_px, mode="constant")
    half = size_px // 2
    enough = share[drawn[:, 0] + half, drawn[:, 1] + half] >= foreground_fraction - 1e-9
    return drawn[enough][:count]


def cut_patches(image: np.ndarray, positions: np.ndarray, size_px: int) -> np.ndarray:
    """Return (N, size, size) patches of a (Y, X) image at (N, 2) top left positions."""
    windows = sliding_window_view(image, (size_px, size_px))
    return windows[positions[:, 0], positions[:, 1]]
