"""Training patches; every network of the experiment sees the same."""

from typing import Annotated, Literal

from pydantic import Field, Strict

from crossres.section import Count, Part, Positive, Section

Percent = Annotated[float, Field(ge=0, le=100)]


class Patches(Section):
    """Training patches; every network of the experiment sees the same."""

    size_px: Annotated[int, Field(ge=16)] = 64
    """Side of a patch, in pixels of the target."""
    slices: Positive | None = None
    """Slices of a patch of a volume; null takes all of them."""
    per_field: Positive = 100
    """Patches drawn from one training field, at most."""
    foreground_level: float = 0.25
    """A pixel is foreground above this, on the normalised range of the target."""
    foreground_fraction: Part = 0.002
    """A patch is kept if at least this part of its pixels is foreground."""
    normalise: Literal["percentiles", "percentiles_per_image", "full_range"] = "percentiles"
    """`percentiles` scales percentiles of all training fields to 0 and 1. `percentiles_per_image`
    scales each image's own, and restored images return to the counts of their input (Chen et al.
    2021). `full_range` scales the lowest and highest training pixel (Wang et al. 2019, who scale to
    0 and 255)."""
    percentiles: Annotated[tuple[Percent, Percent], Strict(False)] = (2.0, 99.9)
    """Percentiles of the pixels that are scaled to 0 and 1, in percent."""
    seed: Count = 0
    """Seed of the positions."""
