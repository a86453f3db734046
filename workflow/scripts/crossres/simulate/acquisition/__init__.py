"""Acquisitions: how both microscopes image a sample, a file per kind."""

from collections.abc import Callable
from typing import Any

from crossres.jobs import InputError
from crossres.samples import LayeredSample, PointSample, Sample
from crossres.settings import (
    Modalities,
    PairAcquisition,
    RepeatsAcquisition,
    StageAcquisition,
    VolumeAcquisition,
)
from crossres.simulate.acquisition.acquired import Acquired
from crossres.simulate.acquisition.pair import acquire_pair
from crossres.simulate.acquisition.repeats import acquire_repeats
from crossres.simulate.acquisition.stage import acquire_stage
from crossres.simulate.acquisition.volume import acquire_volume

ACQUISITIONS: dict[type, tuple[type[Sample], Callable[..., Acquired]]] = {
    PairAcquisition: (PointSample, acquire_pair),
    RepeatsAcquisition: (PointSample, acquire_repeats),
    VolumeAcquisition: (PointSample, acquire_volume),
    StageAcquisition: (LayeredSample, acquire_stage),
}
"""Simulator of each kind, and the samples that it can image."""


def acquire(
    sample: Sample,
    acquisition: Any,
    modalities: Modalities,
    channel: str,
    number: int,
    seed: int,
) -> Acquired:
    """Simulate the images of one field or scene by both microscopes.

    The same arguments always give the same images.

    Parameters
    ----------
    sample
        What is imaged.
    acquisition
        How, by its kind: one of :data:`ACQUISITIONS`.
    modalities
        Both microscopes in this channel, with pixel sizes and cameras.
    channel
        Its name.
    number
        Of the field or scene within the whole acquisition.
    seed
        Of all chance.

    Raises
    ------
    InputError
        The acquisition cannot image such a sample.
    """
    takes, simulate = ACQUISITIONS[type(acquisition)]
    if not isinstance(sample, takes) or acquisition.kind not in sample.imaged_by:
        raise InputError(
            f"source.simulator.acquisition is {acquisition.kind}, which cannot image "
            f"{sample.name()}; take another kind of acquisition or sample"
        )
    return simulate(sample, acquisition, modalities, channel, number, seed)


__all__ = ["ACQUISITIONS", "Acquired", "acquire"]
