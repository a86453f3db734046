"""What moves one image of a pair onto the other, and how good that is.

Names are looked up when they are asked for: importing torch takes seconds, and the steps that
stitch tiles do without it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crossres.registration.affine import AffineEstimate, estimate_affine
    from crossres.registration.drift import estimate_drift
    from crossres.registration.elastic import (
        ElasticEstimate,
        estimate_displacement,
        register_elastic,
    )
    from crossres.registration.match import FieldMatch, match_field, place_in_field
    from crossres.registration.pair import register_pair
    from crossres.registration.registered import RegisteredPair, leave_out
    from crossres.registration.shift import (
        ShiftEstimate,
        apply_shift,
        estimate_shift,
        locate_correlation_peak,
    )
    from crossres.registration.warping import warp

_HOMES = {
    "AffineEstimate": "affine",
    "ElasticEstimate": "elastic",
    "FieldMatch": "match",
    "RegisteredPair": "registered",
    "ShiftEstimate": "shift",
    "apply_shift": "shift",
    "estimate_affine": "affine",
    "estimate_displacement": "elastic",
    "estimate_drift": "drift",
    "estimate_shift": "shift",
    "leave_out": "registered",
    "locate_correlation_peak": "shift",
    "match_field": "match",
    "place_in_field": "match",
    "register_elastic": "elastic",
    "register_pair": "pair",
    "warp": "warping",
}

__all__ = [
    "AffineEstimate",
    "ElasticEstimate",
    "FieldMatch",
    "RegisteredPair",
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
    "warp",
]


def __getattr__(name: str) -> Any:
    """Import a name from its module the first time it is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
