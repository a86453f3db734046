"""What moves one image of a pair onto the other, and how good that is."""

from crossres.registration.shift import (
    ShiftEstimate,
    apply_shift,
    estimate_shift,
    locate_correlation_peak,
)

__all__ = ["ShiftEstimate", "apply_shift", "estimate_shift", "locate_correlation_peak"]
