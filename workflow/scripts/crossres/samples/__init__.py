"""What is imaged: emitters or densities, each sample with its settings; nothing of microscopes.

A sample is a file here, found by itself: its class holds the keys of ``source.simulator.sample``
and draws what they ask for. Every start of Snakemake reads these files, so that what takes long
to load is imported where it is used.
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
