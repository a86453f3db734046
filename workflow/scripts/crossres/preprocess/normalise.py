"""Scaling counts to the range the networks work in, and back."""

from dataclasses import dataclass

import numpy as np

from crossres.preprocess.quantiles import PixelQuantiles


@dataclass(frozen=True)
class Scale:
    """A linear scale with its inverse: normalised = (counts - offset) / span.

    One scale serves a whole modality of an experiment, unless the configuration asks for one per
    image, which changes the relative brightness of fields. No scale is ever taken from a tile.

    Parameters
    ----------
    offset, span
        In counts; span is positive.
    """

    offset: float
    span: float

    def apply(self, counts: np.ndarray) -> np.ndarray:
        """Return normalised float32 values."""
        return ((counts - self.offset) / self.span).astype(np.float32)

    def invert(self, normalised: np.ndarray) -> np.ndarray:
        """Return float32 counts."""
        return (normalised * self.span + self.offset).astype(np.float32)


def scale_from_percentiles(pixels: np.ndarray | PixelQuantiles, low: float, high: float) -> Scale:
    """Return the scale that puts two percentiles of the training pixels at 0 and 1.

    Values beyond are kept, not clipped (Chen et al. 2021, Methods).

    Parameters
    ----------
    pixels
        Pixels of training fields, any shape, or their quantiles.
    low, high
        Percentiles, in percent.

    Raises
    ------
    ValueError
        The two percentiles coincide: there is nothing to scale.
    """
    if isinstance(pixels, PixelQuantiles):
        bottom, top = pixels.percentiles([low, high])
    else:
        bottom, top = np.percentile(pixels, [low, high])
    if not top > bottom:
        raise ValueError(f"percentiles {low} and {high} of the training pixels are both {top:g}")
    return Scale(offset=float(bottom), span=float(top - bottom))
