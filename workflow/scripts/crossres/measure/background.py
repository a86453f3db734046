"""What an image shows where the target shows nothing: noise, and stripes that are none."""

from collections.abc import Iterator

import numpy as np
from scipy.ndimage import gaussian_filter

from crossres.measure.measured import MeasuredImage
from crossres.measure.registry import Quantity, Value, measurement

NOISE = Quantity("background_sd", "counts", "background noise")
STRIPES = Quantity("background_stripes", "1", "stripes in the background")

BLOCK_PX = 32
SMOOTHING_PX = 2.0
ABOVE = 5.0
"""A block shows something where the smoothed target rises so many standard deviations above the
darkest block."""

SLOWEST = 4
"""Frequencies of fewer periods in a block are uneven light, not stripes."""


@measurement(NOISE, STRIPES, dims=(2,))
def background_texture(seen: MeasuredImage) -> Iterator[Value]:
    """Measure noise and stripes in the blocks in which the target shows no object, if any."""
    blocks = object_free_blocks(seen.target)
    if not blocks:
        return
    parts = np.stack([seen.image[block].astype(np.float64) for block in blocks])
    yield Value(NOISE.name, float(np.median(parts.std(axis=(1, 2)))))
    yield Value(STRIPES.name, stripes(parts))


def object_free_blocks(target: np.ndarray) -> list[tuple[slice, slice]]:
    """Return the blocks of 32 x 32 pixels in which a target (Y, X) shows no object."""
    smooth = gaussian_filter(target.astype(np.float64), SMOOTHING_PX)
    corners = [
        (y, x)
        for y in range(0, target.shape[0] - BLOCK_PX + 1, BLOCK_PX)
        for x in range(0, target.shape[1] - BLOCK_PX + 1, BLOCK_PX)
    ]
    blocks = [(slice(y, y + BLOCK_PX), slice(x, x + BLOCK_PX)) for y, x in corners]
    if not blocks:
        return []
    darkest = smooth[min(blocks, key=lambda block: float(smooth[block].mean()))]
    level = darkest.mean() + ABOVE * darkest.std()
    return [block for block in blocks if smooth[block].max() <= level]


def stripes(blocks: np.ndarray) -> float:
    """Return the peak over the mean of the mean power spectrum of some blocks.

    White noise in many blocks has little more than 1; a pattern that all share, such as the
    diagonal stripes of a generator that paints noise, has its power at few frequencies. A smooth
    background has most of it at low ones: compare methods, not a method with 1.

    Parameters
    ----------
    blocks
        (N, Y, X) counts.

    Returns
    -------
    float
        NaN where the blocks are constant.
    """
    height, width = blocks.shape[1:]
    window = np.outer(np.hanning(height), np.hanning(width))
    flat = blocks - blocks.mean(axis=(1, 2), keepdims=True)
    power = (np.abs(np.fft.rfft2(flat * window)) ** 2).mean(axis=0)
    y, x = np.fft.fftfreq(height)[:, None] * height, np.fft.rfftfreq(width)[None, :] * width
    fast = power[np.hypot(y, x) >= SLOWEST]
    mean = float(fast.mean())
    return float(fast.max()) / mean if mean > 0 else float("nan")
