"""Bringing an image to the pixel size that a model was trained at, and back, block by block."""

from collections.abc import Sequence
from math import ceil, floor

import numpy as np
from scipy.ndimage import affine_transform
from scipy.sparse import csr_array

from crossres.images import Pixels, slabs

BLOCK_PX = 2**20
"""Pixels that are written at once."""

MARGIN_PX = 24
"""Old pixels that are read on either side of a block: a cubic spline takes 1e-14 from beyond."""


def resampled_shape(shape: Sequence[int], steps: Sequence[float]) -> tuple[int, ...]:
    """Return how many new pixels cover the whole of an image, along each axis.

    Parameters
    ----------
    shape
        Of the image.
    steps
        New pixel size over old, per axis.
    """
    # 3 / 0.1 should be 30, and not 31
    return tuple(ceil(n / step - 1e-6) for n, step in zip(shape, steps, strict=True))


def resample_into(
    source: Pixels, target: Pixels, steps: Sequence[float], floor: float = -np.inf
) -> None:
    """Resample to other pixel sizes, separably, by a cubic kernel that is as wide as it must be.

    Half-pixel centres: new pixel j lies at (j + 0.5) * step - 0.5 in old pixels, so that the
    edges of the image stay where they are. Where pixels become larger the kernel is stretched
    by the step, which takes away what the new grid cannot show (antialiasing). Beyond its edge
    the image is continued by its border.

    Parameters
    ----------
    source
        Any number of axes, read by windows.
    target
        Of as many axes, written block by block. It need not be of :func:`resampled_shape`: on
        the way back it has the shape that the image had.
    steps
        New pixel size over old, per axis.
    floor
        Lower values are raised to this: the kernel overshoots at edges.

    References
    ----------
    Keys, IEEE Trans. ASSP 29, 1153 (1981), eq. 15: the cubic kernel, a = -1/2.
    """
    for window in slabs(target.shape, BLOCK_PX):
        found = [
            interpolation(span.start, span.stop, step, n)
            for span, step, n in zip(window, steps, source.shape, strict=True)
        ]
        block = np.asarray(
            source[tuple(slice(first, first + m.shape[1]) for first, m in found)],
            dtype=np.float32,
        )
        for axis, (_, matrix) in enumerate(found):
            block = _along(block, matrix, axis)
        target[window] = np.maximum(block, floor)


def trained_shape(shape: Sequence[int], steps: Sequence[float]) -> tuple[int, ...]:
    """Return how many new pixels :func:`crossres.preprocess.resample` gives along each axis."""
    return tuple(max(1, round(n / step)) for n, step in zip(shape, steps, strict=True))


def resample_as_trained(source: Pixels, target: Pixels, steps: Sequence[float], order: int) -> None:
    """Resample as :func:`crossres.preprocess.resample` did it for the training, block by block.

    Parameters
    ----------
    source, steps
        As of :func:`resample_into`.
    target
        Of :func:`trained_shape`.
    order
        Of the spline.
    """
    for window in slabs(target.shape, BLOCK_PX):
        seen, offsets = [], []
        for span, step, n in zip(window, steps, source.shape, strict=True):
            margin = MARGIN_PX if step != 1 else 0
            start, end = ((j + 0.5) * step - 0.5 for j in (span.start, span.stop - 1))
            first = min(max(0, floor(start) - margin), n - 1)
            seen.append(slice(first, max(first + 1, min(n, ceil(end) + margin + 1))))
            offsets.append(start - first)
        block = np.asarray(source[tuple(seen)], dtype=np.float32)
        shape = tuple(span.stop - span.start for span in window)
        target[window] = affine_transform(
            block,
            np.asarray(steps, float),
            offsets,
            output_shape=shape,
            order=order,
            mode="nearest",
        )


def interpolation(start: int, stop: int, step: float, length: int) -> tuple[int, csr_array]:
    """Return what some new pixels along an axis take from the old ones.

    Parameters
    ----------
    start, stop
        First new pixel, and the one after the last.
    step
        New pixel size over old.
    length
        Number of old pixels.

    Returns
    -------
    first : int
        The first old pixel that counts.
    weights : csr_array
        (stop - start, old pixels from ``first``), rows that sum to 1.
    """
    if step == 1:
        count = stop - start
        inside = np.clip(np.arange(start, stop), 0, length - 1)
        first = int(inside[0])
        entries = (np.ones(count, np.float32), (np.arange(count), inside - first))
        return first, csr_array(entries, shape=(count, int(inside[-1]) - first + 1))
    wide = max(1.0, step)
    centres = (np.arange(start, stop) + 0.5) * step - 0.5
    reach = 2 * wide
    taps = np.ceil(centres - reach).astype(int)[:, None] + np.arange(int(np.ceil(2 * reach)) + 1)
    weights = _cubic((taps - centres[:, None]) / wide)
    weights /= weights.sum(axis=1, keepdims=True)
    taps = np.clip(taps, 0, length - 1)
    first, last = int(taps.min()), int(taps.max())
    rows = np.repeat(np.arange(stop - start), taps.shape[1])
    # taps beyond the edge fall on the border pixel, where they are added up
    entries = (weights.ravel().astype(np.float32), (rows, taps.ravel() - first))
    return first, csr_array(entries, shape=(stop - start, last - first + 1))


def _cubic(x: np.ndarray) -> np.ndarray:
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x**2 + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def _along(block: np.ndarray, matrix: csr_array, axis: int) -> np.ndarray:
    """Apply a matrix to one axis of an array."""
    moved = np.moveaxis(block, axis, 0)
    flat = matrix @ moved.reshape(moved.shape[0], -1)
    return np.moveaxis(flat.reshape(matrix.shape[0], *moved.shape[1:]), 0, axis)
