"""What moves one image of a pair onto the other, and how good that is."""

from crossres.registration.affine import AffineEstimate, estimate_affine
from crossres.registration.drift import estimate_drift
from crossres.registration.elastic import ElasticEstimate, estimate_displacement, register_elastic
from crossres.registration.match import FieldMatch, match_field, place_in_field
from crossres.registration.pair import RegisteredPair, leave_out, register_pair
from crossres.registration.shift import (
    ShiftEstimate,
    apply_shift,
    estimate_shift,
    locate_correlation_peak,
)
from crossres.registration.volume import RegisteredVolume, register_volume
from crossres.registration.warp import warp

__all__ = [
    "AffineEstimate",
    "ElasticEstimate",
    "FieldMatch",
    "RegisteredPair",
    "RegisteredVolume",
    "ShiftEstimate",
    "apply_shift",
    "estimate_affine",
    "estimate_displacement",
    "estimate_drift",
    "estimate_shift",
    "leave_out",
    "locate_correlation_peak",
    "match_field",
    "place_in_field",
    "register_elastic",
    "register_pair",
    "register_volume",
    "warp",
]
