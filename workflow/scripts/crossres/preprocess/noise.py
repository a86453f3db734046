"""The noise of a camera, from its images alone: variance against level is a line."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from scipy.ndimage import convolve1d

from crossres.section import NotNegative, Section

SECOND_DIFFERENCE = np.array([1.0, -2.0, 1.0])
RING_SIGMA_PX = 2.0
RING_RADIUS_PX = 5
BINS = 8
LEAST_PX = 100
"""Bins with fewer pixels say too little."""

QUANTILES = (0.001, 0.999)
CLIPPED_PART = 0.02
"""More pixels than this part at one end of the range, and the noise there was cut off."""

Images = Callable[[], Iterable[np.ndarray]]
"""Gives all images, one after the other, each time it is called."""


class NoiseLine(Section):
    """Variance of a camera's noise against its counts: ``per_count * counts + at_zero``."""

    per_count: NotNegative
    """Variance that each count adds, in counts: the gain, times a detector's excess noise."""
    at_zero: float
    """Variance at 0 counts, in counts squared: reading noise, less the offset's part."""

    def variance(self, counts: np.ndarray) -> np.ndarray:
        """Return the variance at some counts; 0 where the line would be negative."""
        found: np.ndarray = np.maximum(self.per_count * counts + self.at_zero, 0.0)
        return found


class NoNoiseLine(ValueError):
    """The images do not show what their noise is; the text says why."""


def noise_line(images: Images) -> NoiseLine:
    """Estimate the noise of a camera from the images of a sample.

    The image convolved with [1 -2 1] along both axes, over 6, has the noise's variance and next to
    nothing of structures of some pixels. Pixels are grouped into bins of equal width by the level
    around them; the bins' mean squares are regressed on their mean levels, weighted by their
    standard errors. Around, as a level that holds a pixel's own noise would sort by noise: the
    slope of a sparse sample came out 18 % low; medians instead of means make it 7 to 24 %.

    The images must be raw: interpolation lowers the variance.

    Parameters
    ----------
    images
        (..., Y, X) counts each; every plane counts.

    Raises
    ------
    NoNoiseLine
        Too few pixels or levels, a range that is cut off, or a noise that falls with the light.

    References
    ----------
    Immerkaer, Comput. Vis. Image Underst. 64, 300 (1996), for the kernel; Foi et al., IEEE Trans.
    Image Process. 17, 1737 (2008), for the line and for clipping.
    """
    _require_whole_range(images())
    kept = [_level_around(plane)[::4, ::4] for plane in _planes(images())]
    if not kept:
        raise NoNoiseLine("no image is as large as three by three pixels")
    low, high = np.quantile(np.concatenate([levels.ravel() for levels in kept]), QUANTILES)
    if not low < high:
        raise NoNoiseLine("the images are constant")
    edges = np.linspace(low, high, BINS + 1)
    sums = np.zeros((4, BINS))
    for plane in _planes(images()):
        square = (_filtered(plane, SECOND_DIFFERENCE) / 6) ** 2
        mean = _filtered(plane, SECOND_DIFFERENCE**2) / 36
        at = np.digitize(_level_around(plane), edges) - 1
        inner = np.s_[1:-1, 1:-1]
        at, square, mean = at[inner], square[inner], mean[inner]
        inside = (at >= 0) & (at < BINS)
        for row, values in enumerate((np.ones_like(square), mean, square, square**2)):
            sums[row] += np.bincount(at[inside], values[inside], BINS)
    enough = sums[0] >= LEAST_PX
    if enough.sum() < 2:
        raise NoNoiseLine(
            f"only {int(enough.sum())} of {BINS} levels of brightness have {LEAST_PX} pixels"
        )
    count, mean, square, fourth = sums[:, enough]
    mean, square, fourth = mean / count, square / count, fourth / count
    weight = count / np.maximum(fourth - square**2, 1e-12 * square**2 + 1e-30)
    aside = mean - np.average(mean, weights=weight)
    per_count = (weight * aside * square).sum() / max((weight * aside**2).sum(), 1e-30)
    at_zero = np.average(square - per_count * mean, weights=weight)
    if per_count < 0 or per_count * mean.min() + at_zero < 0:
        raise NoNoiseLine("the noise does not grow with the light: the images are no raw counts")
    return NoiseLine(per_count=float(per_count), at_zero=float(at_zero))


def _planes(images: Iterable[np.ndarray]) -> Iterable[np.ndarray]:
    """Give every plane that is large enough, float64."""
    for image in images:
        if min(image.shape[-2:]) >= len(SECOND_DIFFERENCE):
            yield from image.reshape(-1, *image.shape[-2:]).astype(np.float64)


def _level_around(plane: np.ndarray) -> np.ndarray:
    """Return a Gaussian mean around every pixel, the three by three pixels in its middle left out.

    Those are what the second difference looks at.
    """
    offset = np.arange(-RING_RADIUS_PX, RING_RADIUS_PX + 1)
    whole = np.exp(-(offset**2) / (2 * RING_SIGMA_PX**2))
    middle = whole[np.abs(offset) <= 1]
    ring = _filtered(plane, whole) - _filtered(plane, middle)
    level: np.ndarray = ring / (whole.sum() ** 2 - middle.sum() ** 2)
    return level


def _filtered(plane: np.ndarray, kernel: np.ndarray) -> Any:
    """Convolve a plane with a kernel along both axes; its border is not valid."""
    return convolve1d(convolve1d(plane, kernel, axis=0), kernel, axis=1)


def _require_whole_range(images: Iterable[np.ndarray]) -> None:
    """Refuse images of which too many pixels are the least or the greatest value of all.

    Both ends are what the brightest and darkest images show; where noise is not cut off, few
    pixels share either.
    """
    counts: dict[float, int] = {}
    total = 0
    for image in images:
        total += image.size
        for end in (float(image.min()), float(image.max())):
            counts[end] = counts.get(end, 0) + int((image == end).sum())
    for value in (min(counts, default=0.0), max(counts, default=0.0)):
        part = counts.get(value, 0) / max(total, 1)
        if part > CLIPPED_PART:
            raise NoNoiseLine(f"{part:.0%} of the pixels are {value:g}: the range is cut off there")
