"""One file a measurement, registered with the names, units and labels of what it gives.

:mod:`crossres.measure.registry` finds them. A new measurement is a new file here, and its settings
in settings/measure.py where it has some.
"""

from crossres.measure.contrast import signal_to_noise
from crossres.measure.field import measure_field
from crossres.measure.measured import MeasuredImage
from crossres.measure.peak import MainPeak, main_peak
from crossres.measure.similarity import compare
from crossres.measure.spots import find_spots, fit_spots, isolated
from crossres.measure.volume_spots import fit_volume_spots

__all__ = [
    "MainPeak",
    "MeasuredImage",
    "compare",
    "find_spots",
    "fit_spots",
    "fit_volume_spots",
    "isolated",
    "main_peak",
    "measure_field",
    "signal_to_noise",
]
