"""Classical methods: their settings, and what tables and figures call them."""

from typing import Annotated, ClassVar

from pydantic import Field, Strict

from crossres.section import Part, Positive, Section


class Classical(Section):
    """Grid over which every classical method is searched.

    An entry of the catalogue also has the names that tables and figures use.
    """

    label: ClassVar[str]
    colour: ClassVar[str]
    paper: ClassVar[str]
    parameter: ClassVar[str]
    """Name of what is searched beside the iterations, as tables have it."""

    max_iterations: Positive = 100
    """Iterations 1 to this are searched."""

    @property
    def values(self) -> list[float]:
        """Values of the parameter that are searched."""
        raise NotImplementedError


class RichardsonLucy(Classical):
    """Lucy-Richardson with damping."""

    label = "Lucy–Richardson"
    colour = "#E69F00"
    paper = "Richardson 1972; Lucy 1974; damping as White 1994"
    parameter = "damping"

    damping: Annotated[tuple[Part, ...], Strict(False), Field(min_length=1)] = (
        0.0,
        0.001,
        0.003,
        0.01,
        0.03,
        0.1,
    )
    """Damping thresholds searched, as a fraction of the image's maximum."""

    @property
    def values(self) -> list[float]:
        """Every damping."""
        return list(self.damping)


class NNLS(Classical):
    """Non-negative least squares by projected Landweber iteration."""

    label = "NNLS"
    colour = "#56B4E9"
    paper = "Landweber 1951; settings of Wang et al. 2019"
    parameter = "step"

    step: Annotated[float, Field(gt=0, lt=2)] = 0.5
    """Step of the gradient, below 2."""

    @property
    def values(self) -> list[float]:
        """The one step."""
        return [self.step]


CLASSICAL: dict[str, type[Classical]] = {"richardson_lucy": RichardsonLucy, "nnls": NNLS}
"""Classical methods by name, in the order in which figures show them."""
