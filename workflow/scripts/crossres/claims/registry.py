"""Every claim that can be judged: on which experiments, and by which function."""

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from crossres.claims.evidence import NOT_JUDGED, Evidence

Judge = Callable[..., tuple[str, str]]
"""From the evidence of each of a claim's experiments, in turn, to what was measured and the
verdict. The evidence is a mapping by channel, or that of the first channel alone."""


@dataclass(frozen=True)
class Claim:
    """A published result that can be held against ours.

    Parameters
    ----------
    experiments
        What it is judged on.
    judge
        Its judge.
    channels
        Whether the judge is given all channels of each experiment, or the first.
    """

    experiments: tuple[str, ...]
    judge: Judge
    channels: Literal["all", "first"]


_REGISTERED: dict[str, Claim] = {}


def claim(
    name: str, *, experiments: tuple[str, ...], channels: Literal["all", "first"] = "all"
) -> Callable[[Judge], Judge]:
    """Register a function as the judge of a claim.

    Parameters
    ----------
    name
        Its id in resources/claims.tsv.
    experiments, channels
        As of :class:`Claim`.
    """

    def register(judge: Judge) -> Judge:
        if name in _REGISTERED:
            raise ValueError(f"claim {name} has two judges")
        _REGISTERED[name] = Claim(experiments, judge, channels)
        return judge

    return register


@cache
def registered_claims() -> Mapping[str, Claim]:
    """Return every claim that a file of this folder judges, by its id."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        import_module(f"{__package__}.{module.name}")
    return _REGISTERED


def judge_claim(name: str, evidence: Mapping[str, Mapping[str, Evidence]]) -> tuple[str, str]:
    """Return what was measured for a claim, and the verdict.

    Parameters
    ----------
    name
        Its id.
    evidence
        By experiment and channel.
    """
    entry = registered_claims()[name]
    missing = [experiment for experiment in entry.experiments if experiment not in evidence]
    if missing:
        verb = "was" if len(missing) == 1 else "were"
        return f"{' and '.join(missing)} {verb} not part of this run", NOT_JUDGED
    channels: list[Any] = [evidence[experiment] for experiment in entry.experiments]
    if entry.channels == "first":
        channels = [next(iter(found.values())) for found in channels]
    return entry.judge(*channels)
