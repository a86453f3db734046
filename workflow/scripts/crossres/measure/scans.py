"""Several scans of one field by the target's microscope, and what their average says."""

from collections.abc import Iterator, Sequence

import numpy as np

from crossres.catalogue.methods import TARGET, TRUTH
from crossres.measure.measured import MeasuredImage
from crossres.measure.registry import Quantity, Value, measurement

TO_AVERAGE = Quantity("pearson_r_scan_mean", "1", "Pearson r to the mean of all scans")


@measurement(TO_AVERAGE, not_of=(TARGET, TRUTH))
def similarity_to_average(seen: MeasuredImage) -> Iterator[Value]:
    """Correlate with the average of all scans of the target, where there are several."""
    if seen.scans:
        average = average_scans(seen.target, seen.scans)
        r = float(np.corrcoef(seen.image.ravel(), average.ravel())[0, 1])
        yield Value(TO_AVERAGE.name, r)


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
    # only fields with several scans need torch, which takes seconds to load
    from crossres.registration import apply_shift, estimate_shift

    moved = [apply_shift(scan, estimate_shift(first, scan)) for scan in others]
    return np.asarray(np.mean([first, *moved], axis=0))
