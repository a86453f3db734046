"""Between import and registration."""

from typing import Annotated, Literal

from pydantic import Field

from crossres.section import Count, Section


class Region(Section):
    """An object-free region."""

    field: str
    """Name of a field of the first batch of training fields."""
    y_px: Count
    """Top of the region, in pixels."""
    x_px: Count
    """Left of the region, in pixels."""


class Background(Section):
    """Subtraction of a constant background, clipped at 0."""

    method: Literal["none", "find", "region"] = "none"
    """`none`; `find` takes the mean of the darkest square region in the first batch of training
    fields; `region` takes the mean of the given region."""
    region_px: Annotated[int, Field(ge=2)] = 32
    """Side of the square region, in pixels."""
    region: Region | None = None
    """An object-free region, for `region`."""


class Preprocess(Section):
    """Between import and registration."""

    background: Background = Background()
    """Subtraction of a constant background, clipped at 0."""
    interpolation_order: Literal[1, 3] = 1
    """Order of the spline that brings the input to the target's pixel size; 1 is linear, as
    published, 3 cubic."""
