"""Samples, seen through optics, as raw images that a microscope would have given."""

from crossres.simulate.acquisition import Acquired, acquire
from crossres.simulate.scan_truth import (
    Lookup,
    ScanTruth,
    sample_position_nm,
    truth_from_dict,
    truth_to_dict,
)

__all__ = [
    "Acquired",
    "Lookup",
    "ScanTruth",
    "acquire",
    "sample_position_nm",
    "truth_from_dict",
    "truth_to_dict",
]
