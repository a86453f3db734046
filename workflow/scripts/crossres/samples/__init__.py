"""Samples: emitters or densities with their settings, independent of microscopes.

Each sample is a file here, which is found automatically. Its class holds the keys of
``source.simulator.sample`` and draws the sample. Every start of Snakemake reads these files, so
slow imports are inside functions.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Annotated, Any, Union

from pydantic import Field

from crossres.samples.sample import (
    Emitters,
    LayeredSample,
    Layers,
    PointSample,
    Sample,
)

SAMPLES: dict[str, type[Sample]] = {}
"""Samples by their kind."""

for _module in iter_modules(__path__):
    for _class in vars(import_module(f"{__name__}.{_module.name}")).values():
        if (
            isinstance(_class, type)
            and issubclass(_class, Sample)
            and "kind" in _class.model_fields
        ):
            SAMPLES[_class.name()] = _class

AnySample: Any = Annotated[Union[tuple(SAMPLES.values())], Field(discriminator="kind")]  # noqa: UP007

__all__ = [
    "SAMPLES",
    "AnySample",
    "Emitters",
    "LayeredSample",
    "Layers",
    "PointSample",
    "Sample",
]
