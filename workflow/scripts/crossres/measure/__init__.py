"""One file a measurement."""

from crossres.measure.contrast import signal_to_noise
from crossres.measure.peak import MainPeak, main_peak
from crossres.measure.similarity import compare
from crossres.measure.spots import find_spots, fit_spots, isolated

__all__ = [
    "MainPeak",
    "compare",
    "find_spots",
    "fit_spots",
    "isolated",
    "main_peak",
    "signal_to_noise",
]
