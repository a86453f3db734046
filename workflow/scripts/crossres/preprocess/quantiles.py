"""Percentiles of more pixels than the memory holds."""

from collections.abc import Sequence

import numpy as np

EXACT_PX = 2**25
"""Up to this many pixels are kept, and their percentiles are exact."""

KEY_BITS = 22
"""Values of a float32 with the same sign, exponent and first 13 bits of the mantissa share a bin;
its relative width is 2**-13."""

WHOLE = (-(2**15), 2**16)
"""Range of the integers of 8 and 16 bits, which have a bin each."""


class PixelQuantiles:
    """Percentiles, count and range of pixels that are given image by image.

    Integers of up to 16 bits are counted one by one, and their percentiles are exact. Other pixels
    are kept, and exact too, until there are more than ``exact_px``; from then on they are counted
    in bins, and a percentile is right to 2**-13 of itself. Memory: four bytes for each pixel kept,
    and 32 MB for the bins.

    Parameters
    ----------
    exact_px
        How many pixels are kept.

    References
    ----------
    Hyndman & Fan, The American Statistician 50, 361 (1996), definition 7: numpy's "linear".
    """

    def __init__(self, exact_px: int = EXACT_PX) -> None:
        self.exact_px = exact_px
        self.count = 0
        """Pixels given so far."""
        self.least, self.greatest = np.inf, -np.inf
        """Their range."""
        self._kept: list[np.ndarray] | None = []
        self._whole = np.zeros(0, dtype=np.int64)
        self._binned = np.zeros(0, dtype=np.int64)

    def add(self, pixels: np.ndarray) -> None:
        """Take in an image of any shape.

        Raises
        ------
        ValueError
            It holds NaN or Inf.
        """
        pixels = np.asarray(pixels).ravel()
        if not pixels.size:
            return
        least, greatest = float(pixels.min()), float(pixels.max())
        if not np.isfinite([least, greatest]).all():
            raise ValueError("an image with NaN or Inf has no percentiles")
        self.least, self.greatest = min(self.least, least), max(self.greatest, greatest)
        self.count += pixels.size
        if pixels.dtype.kind in "ui" and pixels.dtype.itemsize <= 2:
            low, high = WHOLE
            self._whole = _sum(self._whole, pixels.astype(np.int64) - low, high - low)
        elif self._kept is not None:
            self._kept.append(pixels.copy())
            if sum(kept.size for kept in self._kept) > self.exact_px:
                self._bin_kept()
        else:
            self._binned = _sum(self._binned, _keys(pixels), 2**KEY_BITS)

    def percentiles(self, percents: Sequence[float]) -> np.ndarray:
        """Return percentiles of all pixels so far, interpolated linearly between two of them.

        Parameters
        ----------
        percents
            0 to 100.

        Returns
        -------
        ndarray
            float64, one for each of ``percents``.
        """
        if not self.count:
            raise ValueError("no pixels have been given")
        if self._kept and not self._whole.size:
            return np.asarray(np.percentile(np.concatenate(self._kept), percents), np.float64)
        if self._kept:
            self._bin_kept()
        ranks = np.asarray(percents, dtype=np.float64) / 100 * (self.count - 1)
        below, above = self._at_ranks(np.floor(ranks)), self._at_ranks(np.ceil(ranks))
        found: np.ndarray = below + (above - below) * (ranks - np.floor(ranks))
        return found

    def _bin_kept(self) -> None:
        for pixels in self._kept or []:
            self._binned = _sum(self._binned, _keys(pixels), 2**KEY_BITS)
        self._kept = None

    def _at_ranks(self, ranks: np.ndarray) -> np.ndarray:
        """Return the values below which so many pixels lie, taken as evenly spread within a bin."""
        whole, binned = np.flatnonzero(self._whole), np.flatnonzero(self._binned)
        start = np.concatenate([whole + float(WHOLE[0]), _edges(binned)])
        stop = np.concatenate([whole + float(WHOLE[0]), _edges(binned + 1)])
        counts = np.concatenate([self._whole[whole], self._binned[binned]])
        order = np.argsort(start, kind="stable")
        before = np.concatenate([[0], np.cumsum(counts[order])])
        at = np.searchsorted(before, ranks, side="right") - 1
        within = (ranks - before[at] + 0.5) / counts[order][at]
        start, stop = start[order][at], stop[order][at]
        values: np.ndarray = start + (stop - start) * within
        return values.clip(self.least, self.greatest)


def _sum(counts: np.ndarray, keys: np.ndarray, bins: int) -> np.ndarray:
    """Add the counts of some keys to those so far, of which there may be none."""
    new = np.bincount(keys, minlength=bins)
    return new + counts if counts.size else new


def _keys(values: np.ndarray) -> np.ndarray:
    """Return the bin of each value: the first bits of float32s, in the order of their values."""
    bits = np.asarray(values, dtype=np.float32).view(np.uint32)
    ordered = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))
    return (ordered >> (32 - KEY_BITS)).astype(np.int64)


def _edges(keys: np.ndarray) -> np.ndarray:
    """Return the least value of each bin, the inverse of _keys."""
    ordered = (keys << (32 - KEY_BITS)).astype(np.uint32)
    bits = np.where(ordered >> 31, ordered ^ np.uint32(1 << 31), ~ordered)
    return bits.view(np.float32).astype(np.float64)
