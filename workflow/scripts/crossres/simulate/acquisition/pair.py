"""Each field once by either microscope, one after the other."""

import numpy as np

from crossres.samples import PointSample
from crossres.settings import Modalities, PairAcquisition
from crossres.simulate.acquisition.acquired import Acquired, photograph_both
from crossres.simulate.acquisition.flat import image_plane
from crossres.simulate.rendering import pixel_size_of


def acquire_pair(
    sample: PointSample,
    acquisition: PairAcquisition,
    modalities: Modalities,
    channel: str,
    number: int,
    seed: int,
) -> Acquired:
    """Simulate both images of one field; the stage drifts in between.

    Parameters are those of :func:`crossres.simulate.acquire`; the channel makes no difference.
    """
    rng = np.random.default_rng([seed, number])
    side_nm = acquisition.field_px * pixel_size_of(modalities.target)
    emitters = sample.emitters((0.0, side_nm, side_nm), rng)
    drift_nm = rng.normal(0.0, acquisition.drift_nm / np.sqrt(2), 2)
    seen = {
        "input": image_plane(emitters, modalities.input, side_nm),
        "target": image_plane(emitters, modalities.target, side_nm, drift_nm),
    }
    still = image_plane(emitters, modalities.target, side_nm)
    return photograph_both(seen, still, modalities, emitters, drift_nm, rng)
