"""What claims are judged by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from crossres.measure import MainPeak, main_peak

REPRODUCED, FAILED, NOT_JUDGED = "reproduced", "failed", "not judged"


@dataclass(frozen=True)
class Evidence:
    """What one channel of an experiment gives to judge claims by.

    Parameters
    ----------
    metrics, structures
        metrics.csv and structures.csv.
    histories
        history.csv of every seed, by network.
    parameters
        Best parameters by classical method, as choose_deconvolution writes them.
    registration_errors
        registration_error.csv; None of real images.
    """

    metrics: pd.DataFrame
    structures: pd.DataFrame
    histories: Mapping[str, Sequence[pd.DataFrame]]
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    registration_errors: pd.DataFrame | None = None

    def widths(self, method: str) -> np.ndarray:
        """Return the FWHM of every spot that was fitted in a method's image, in nm."""
        table = self.structures
        chosen = (table.method == method) & (table.metric == "fwhm_nm")
        return np.asarray(table.value[chosen].dropna(), dtype=float)

    def peak(self, method: str) -> MainPeak | None:
        """Return the main peak of a method's FWHM."""
        return main_peak(self.widths(method))

    def mean(self, method: str, metric: str) -> float:
        """Return the mean of a metric over fields and seeds; NaN where it was not measured."""
        table = self.metrics
        values = table.value[(table.method == method) & (table.metric == metric)]
        return float(values[np.isfinite(values)].mean())


def verdict(holds: bool) -> str:
    """Return the word for a claim that holds, or does not."""
    return REPRODUCED if holds else FAILED
