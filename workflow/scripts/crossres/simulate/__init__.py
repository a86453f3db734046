"""Samples, seen through optics, as raw files that a microscope would have written."""

from crossres.simulate.acquisition import acquire_pair, acquire_scans
from crossres.simulate.beads import place_beads
from crossres.simulate.scan_truth import (
    ScanTruth,
    sample_position_nm,
    truth_from_dict,
    truth_to_dict,
)
from crossres.simulate.stage_scan import acquire_scan

__all__ = [
    "ScanTruth",
    "acquire_pair",
    "acquire_scan",
    "acquire_scans",
    "place_beads",
    "sample_position_nm",
    "truth_from_dict",
    "truth_to_dict",
]
