"""Results of an acquisition: raw images, and the truth, which only measuring rules read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from crossres.samples import Emitters
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
