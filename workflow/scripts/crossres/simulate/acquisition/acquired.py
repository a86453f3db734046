"""Results of an acquisition: raw images, and the truth, which only measuring rules read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from crossres.samples import Emitters
from crossres.settings import Modalities
from crossres.simulate.rendering import noiseless, photograph, pixel_size_of
from crossres.simulate.scan_truth import ScanTruth


@dataclass(frozen=True)
class Acquired:
    """One field or scene, as both microscopes imaged it.

    Parameters
    ----------
    images
        ``input`` and ``target``: (Y, X) or (Z, Y, X) unsigned integers as the detector gives them,
        by the name of the tile; the name is empty where the field is one image.
    noiseless
        float32 expected counts: what the target's microscope would have given without noise, on its
        own grid in the input's frame. For a stage scan, the whole sample, counted from its edge.
    noiseless_pixel_nm
        Its pixel size: the target's, or that of the finer grid on which a stage scan is simulated.
    further_scans
        More scans by the target's microscope, by name, for measuring alone.
    emitters
        Where they lie, in the input's frame.
    drifts_nm
        (S, 2) or (S, 3): ([dz,] dy, dx) of each scan by the target's microscope against the
        input's, the target first. In a scan's frame everything lies at its place plus the drift.
    scan
        Where each pixel of a stage scan looked.
    """

    images: Mapping[str, Mapping[str, np.ndarray]]
    noiseless: np.ndarray
    noiseless_pixel_nm: float
    further_scans: Mapping[str, np.ndarray] = field(default_factory=dict)
    emitters: Emitters | None = None
    drifts_nm: np.ndarray | None = None
    scan: ScanTruth | None = None


def photograph_both(
    seen: Mapping[str, np.ndarray],
    still: np.ndarray,
    modalities: Modalities,
    emitters: Emitters,
    drift_nm: np.ndarray,
    rng: np.random.Generator,
) -> Acquired:
    """Return a field that either microscope has taken once, the input first.

    Parameters
    ----------
    seen
        ``input`` and ``target`` without noise, ([Z, ]Y, X) in units of an emitter's peak.
    still
        What the target would have been without drift.
    modalities, emitters
        The microscopes, and what they imaged.
    drift_nm
        ([dz,] dy, dx) of the target's scan.
    rng
        Of the cameras' noise.
    """
    return Acquired(
        images={
            "input": {"": photograph(seen["input"], modalities.input, rng)},
            "target": {"": photograph(seen["target"], modalities.target, rng)},
        },
        noiseless=noiseless(still, modalities.target),
        noiseless_pixel_nm=pixel_size_of(modalities.target),
        emitters=emitters,
        drifts_nm=drift_nm[None],
    )
