"""Every measurement: what it gives, in which unit, under which label.

Labels and units of tables and figures come from here and nowhere else.
"""

import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from crossres.catalogue.methods import TRUTH

OTHER_MODULES = ("registration",)
"""What measures registrations, not restorations; it loads the simulator, which takes seconds."""


@dataclass(frozen=True)
class Quantity:
    """What a measurement gives.

    Parameters
    ----------
    name
        As tables have it.
    unit
        Of its values; "1" for none.
    label
        What figures and tables call it, without the unit.
    column
        Its place among the columns of summaries, the least first; None leaves it out of them.
    against_truth
        Whether it compares with the truth without noise, and not with the recorded target.
    """

    name: str
    unit: str
    label: str
    column: int | None = None
    against_truth: bool = False

    @property
    def heading(self) -> str:
        """The label with its unit, as a column or an axis is headed."""
        return self.label if self.unit == "1" else f"{self.label} ({self.unit})"


@dataclass(frozen=True)
class Value:
    """One measured number.

    Parameters
    ----------
    metric
        Name of its :class:`Quantity`.
    value
        NaN where it could not be measured.
    structure
        The bead, pair ... that it is of, such as bead_0; None where it is of the whole field.
    place_nm
        ([z,] y, x) of that structure, from the corner of the field.
    """

    metric: str
    value: float
    structure: str | None = None
    place_nm: tuple[float, ...] = ()


Measure = Callable[[Any], Iterable[Value]]
"""From a :class:`crossres.measure.measured.MeasuredImage` to values; to none where it lacks what is
needed, such as settings or a known truth."""


@dataclass(frozen=True)
class Measurement:
    """A function that measures one image of a field, and what it gives.

    Parameters
    ----------
    measure
        The function.
    quantities
        All that it may give.
    dims
        Dimensions of the images in which it works.
    not_of
        Methods that it is not applied to.
    """

    measure: Measure
    quantities: tuple[Quantity, ...]
    dims: tuple[int, ...]
    not_of: tuple[str, ...]


_REGISTERED: list[Measurement] = []


def measurement(
    *quantities: Quantity, dims: tuple[int, ...] = (2, 3), not_of: tuple[str, ...] = (TRUTH,)
) -> Callable[[Measure], Measure]:
    """Register a function as a measurement.

    Parameters
    ----------
    quantities
        All that it may give.
    dims
        Dimensions of the images in which it works.
    not_of
        Methods that it is not applied to: as a rule not to the truth, whose similarity to the
        target alone is asked for.
    """

    def register(function: Measure) -> Measure:
        _REGISTERED.append(Measurement(function, quantities, dims, not_of))
        return function

    return register


@cache
def measurements() -> tuple[Measurement, ...]:
    """Return every measurement in this folder."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.name not in OTHER_MODULES:
            import_module(f"{__package__}.{module.name}")
    return tuple(_REGISTERED)


@cache
def quantities() -> dict[str, Quantity]:
    """Return all that is measured, by name."""
    return {q.name: q for found in measurements() for q in found.quantities}


def summary_columns() -> list[Quantity]:
    """Return what summaries show, in the order of their columns."""
    shown = [(q.column, q) for q in quantities().values() if q.column is not None]
    return [quantity for _, quantity in sorted(shown, key=lambda entry: entry[0])]
