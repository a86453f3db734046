"""What a page says of each channel."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from crossres.catalogue.classical import CLASSICAL
from crossres.catalogue.methods import TARGET, TRUTH, in_order, label_of, network_of
from crossres.catalogue.networks import NETWORKS
from crossres.measure.background import NOISE
from crossres.report.tables import Table, metrics_table, pairs_resolved, seeds_table

PAINTED = 0.5
"""Part of the noise of the target's background from which a network's counts as painted."""


@dataclass(frozen=True)
class ChannelTables:
    """What a run left of one channel.

    Parameters
    ----------
    experiment, channel, title
        Their names, and the experiment's title.
    simulated
        Whether the raw images were.
    guard_px
        Unused pixels between the strips that images were cut into; None where fields are whole.
    registration
        registration.csv.
    registration_error
        registration_error.csv; None of real images.
    parameters
        What choose_deconvolution wrote of each classical method.
    metrics, structures
        metrics.csv and structures.csv; None where pairs are only registered.
    """

    experiment: str
    channel: str
    title: str
    simulated: bool
    guard_px: int | None
    registration: pd.DataFrame
    registration_error: pd.DataFrame | None
    parameters: tuple[Mapping[str, Any], ...]
    metrics: pd.DataFrame | None
    structures: pd.DataFrame | None


@dataclass(frozen=True)
class Errors:
    """Errors of a registration, in the median and in the worst field."""

    median_px: str
    largest_px: str
    median_nm: str = ""


@dataclass(frozen=True)
class BestParameters:
    """The parameters at which a classical method was best on the validation fields."""

    label: str
    iterations: int
    parameter: str
    value: str
    pearson_r: str
    at_limit: bool


@dataclass(frozen=True)
class PaintedNoise:
    """A network whose background is about as uneven as the target's noise, in counts."""

    label: str
    background_sd: str
    target_sd: str
    adversarial: bool
    """Whether it is one that learns beside a discriminator."""


@dataclass(frozen=True)
class ChannelSummary:
    """What the page shows of a channel; every word that it does not add itself.

    Parameters
    ----------
    experiment, channel, title, simulated, guard_px
        As of :class:`ChannelTables`.
    fields
        Number of fields of each split.
    accepted, registered
        Number of fields.
    rejected
        Fields that the registration left out, with the reason; None where there are none.
    residual, error
        The registration's own estimate, and the true error; None where the truth is not known.
    parameters
        Of each classical method.
    measured
        Every method's values; None where nothing was restored.
    ceiling
        SSIM of the truth to the target; empty where the truth is not known.
    seeds
        Spread over seeds; None where every network has one.
    painted
        Networks that paint a pattern in place of noise.
    """

    experiment: str
    channel: str
    title: str
    simulated: bool
    guard_px: int | None
    fields: str
    accepted: int
    registered: int
    rejected: Table | None
    residual: Errors
    error: Errors | None
    parameters: tuple[BestParameters, ...]
    measured: Table | None
    ceiling: str
    seeds: Table | None
    painted: tuple[PaintedNoise, ...]


def summarise(found: ChannelTables) -> ChannelSummary:
    """Return what the page says of a channel."""
    registration, metrics = found.registration, found.metrics
    accepted = registration[registration.accepted]
    rejected = registration[~registration.accepted]
    split = registration.batch.str.rsplit("_", n=1).str[0]
    error, measured = found.registration_error, None
    if metrics is not None and found.structures is not None:
        measured = metrics_table(metrics, pairs_resolved(found.structures))
    return ChannelSummary(
        experiment=found.experiment,
        channel=found.channel,
        title=found.title,
        simulated=found.simulated,
        guard_px=found.guard_px,
        fields=", ".join(f"{n} {name}" for name, n in split.value_counts().items()),
        accepted=len(accepted),
        registered=len(registration),
        rejected=(
            Table.of(rejected[["field", "reason", "correlation"]]) if len(rejected) else None
        ),
        residual=Errors(*_median_and_largest(accepted.residual_px)),
        error=(
            None
            if error is None
            else Errors(
                *_median_and_largest(error.error_rms_px), f"{error.error_rms_nm.median():.2g}"
            )
        ),
        parameters=tuple(map(_best_parameters, found.parameters)),
        measured=measured,
        ceiling="" if metrics is None else _ceiling(metrics),
        seeds=None if metrics is None else seeds_table(metrics),
        painted=() if metrics is None else painted_noise(metrics),
    )


def painted_noise(metrics: pd.DataFrame) -> tuple[PaintedNoise, ...]:
    """Return the networks that paint a pattern where the target shows nothing but noise.

    A network gives one answer for an input and cannot draw noise. Where its background is half as
    uneven as that of a noisy target, what it shows there is of its own making.

    Parameters
    ----------
    metrics
        metrics.csv.
    """
    found = metrics[metrics.metric == NOISE.name].groupby("method").value.median()
    target = found.get(TARGET, 0.0)
    return tuple(
        PaintedNoise(
            label_of(method),
            f"{found[method]:.2g}",
            f"{target:.2g}",
            NETWORKS[network_of(method)]().adversarial is not None,
        )
        for method in in_order(found.index)
        if network_of(method) in NETWORKS and found[method] > PAINTED * target > 0
    )


def _median_and_largest(values: pd.Series) -> tuple[str, str]:
    return f"{values.median():.2g}", f"{values.max():.2g}"


def _ceiling(metrics: pd.DataFrame) -> str:
    ssim = metrics.value[(metrics.method == TRUTH) & (metrics.metric == "ssim")]
    return f"{ssim.mean():.2g}" if len(ssim) else ""


def _best_parameters(chosen: Mapping[str, Any]) -> BestParameters:
    name = CLASSICAL[chosen["method"]].parameter
    return BestParameters(
        label=label_of(chosen["method"]),
        iterations=chosen["iterations"],
        parameter=name,
        value=f"{chosen[name]:g}",
        pearson_r=f"{chosen['validation_pearson_r']:.3f}",
        at_limit=chosen["at_limit_of_grid"],
    )
