"""Several restorations of one image: orientations of it, several models; their mean and spread."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from crossres.images import Pixels, Window, slabs

ORIENTATIONS = tuple(
    (swapped, up, left)
    for swapped in (False, True)
    for up in (False, True)
    for left in (False, True)
)
"""The eight of a square: y and x swapped or not, then y and x reversed or not."""


class Oriented:
    """Another orientation of an array in y and x, read and written by windows.

    What is written by windows of this orientation lies in the array in its own: every
    orientation undoes itself, to the last bit.

    Parameters
    ----------
    pixels
        ([Z, ]Y, X).
    orientation
        One of :data:`ORIENTATIONS`.
    """

    def __init__(self, pixels: Pixels, orientation: tuple[bool, bool, bool]) -> None:
        self.pixels = pixels
        self.dtype = pixels.dtype
        self._swapped, self._up, self._left = orientation

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis, as oriented."""
        *rest, height, width = self.pixels.shape
        return (*rest, width, height) if self._swapped else (*rest, height, width)

    def __getitem__(self, window: Window) -> np.ndarray:
        """Return a window of this orientation."""
        return self._turned(self._swap(np.asarray(self.pixels[self._there(window)])))

    def __setitem__(self, window: Window, values: Any) -> None:
        """Write a window of this orientation."""
        shape = [span.stop - span.start for span in window]
        values = self._swap(self._turned(np.broadcast_to(values, shape)))
        self.pixels[self._there(window)] = values

    def _there(self, window: Window) -> Window:
        """Return where a window lies in the array."""
        *rest, y, x = window
        height, width = self.shape[-2:]
        y = slice(height - y.stop, height - y.start) if self._up else y
        x = slice(width - x.stop, width - x.start) if self._left else x
        return (*rest, x, y) if self._swapped else (*rest, y, x)

    def _turned(self, block: np.ndarray) -> np.ndarray:
        block = block[..., ::-1, :] if self._up else block
        return block[..., ::-1] if self._left else block

    def _swap(self, block: np.ndarray) -> np.ndarray:
        return block.swapaxes(-2, -1) if self._swapped else block


class Average:
    """Mean and spread of several images, of which no two are ever held.

    Welford's method: no large sums are subtracted.

    Parameters
    ----------
    mean, spread
        Where both are kept, float32, of one shape; what ``spread`` holds at first does not count.

    References
    ----------
    Welford, Technometrics 4, 419 (1962); with weights, West, Commun. ACM 22, 532 (1979).
    """

    def __init__(self, mean: Pixels, spread: Pixels) -> None:
        self.mean = mean
        self.spread = spread
        self.total = 0.0

    def add(self, image: Pixels, weight: float = 1.0) -> None:
        """Take one more image into account, block by block."""
        first = self.total == 0
        self.total += weight
        for window in self._windows():
            values = image[window]
            # a copy: of an array a window is a view, which would change with it
            before = np.zeros_like(values) if first else np.array(self.mean[window])
            after = before + (values - before) * weight / self.total
            squares = np.zeros_like(values) if first else self.spread[window]
            self.mean[window] = after
            self.spread[window] = squares + weight * (values - before) * (values - after)

    def finish(self) -> None:
        """Turn the sums of squares into standard deviations, those of a population."""
        for window in self._windows():
            self.spread[window] = np.sqrt(self.spread[window] / self.total)

    def _windows(self) -> Iterator[Window]:
        return slabs(self.mean.shape)
