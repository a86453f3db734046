"""Several scans of one field by the target's microscope, and what their average says."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from crossres.registration import apply_shift, estimate_shift


def average_scans(first: np.ndarray, others: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean of some scans, each moved onto the first.

    Parameters
    ----------
    first
        (Y, X) counts: where the others go.
    others
        (Y, X) counts each, off by the sample's drift.

    Returns
    -------
    ndarray
        (Y, X) float64.

    References
    ----------
    Wang et al. 2019, Fig. 5c: the average of three STED scans, corrected for drift.
    """
    moved = [apply_shift(scan, estimate_shift(first, scan)) for scan in others]
    return np.mean([first, *moved], axis=0)


def correlate_with_average(
    images: Mapping[str, np.ndarray], target: np.ndarray, others: Sequence[np.ndarray]
) -> pd.DataFrame:
    """Return how every method's image correlates with the average of all scans.

    Parameters
    ----------
    images
        (Y, X) counts by name of the restoration.
    target
        (Y, X) counts: the first scan, registered onto the input.
    others
        (Y, X) counts: the further scans, cut alike.

    Returns
    -------
    DataFrame
        ``method``, ``metric`` (pearson_r_scan_mean), ``value``.
    """
    average = average_scans(target, others)
    rows = [
        (method, "pearson_r_scan_mean", float(np.corrcoef(image.ravel(), average.ravel())[0, 1]))
        for method, image in images.items()
    ]
    return pd.DataFrame(rows, columns=["method", "metric", "value"])
