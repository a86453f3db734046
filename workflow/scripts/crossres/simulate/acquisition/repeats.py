"""Each field once by the input's microscope, then several times by the target's."""

from dataclasses import replace

import numpy as np

from crossres.samples import PointSample
from crossres.settings import Modalities, RepeatsAcquisition
from crossres.simulate.acquisition.acquired import Acquired
from crossres.simulate.acquisition.flat import image_plane
from crossres.simulate.rendering import noiseless, photograph, pixel_size_of


def acquire_repeats(
    sample: PointSample,
    acquisition: RepeatsAcquisition,
    modalities: Modalities,
    channel: str,
    number: int,
    seed: int,
) -> Acquired:
    """Simulate the input's scan of one field, then several scans by the target's optics.

    The scans of the target fluctuate, as fluorophores go dark and come back: in each, every
    emitter is brighter or dimmer by chance, and all fade from scan to scan. The stage drifts on
    from scan to scan. ``emitters.facts`` has the brightness in each scan of the target, by its
    name: ``target``, ``scan2``, ``scan3`` ...

    The noiseless image shows every emitter as bright as the input saw it, before anything
    bleached: what no single scan shows, and what all of them would come to on average.

    Parameters are those of :func:`crossres.simulate.acquire`; the channel makes no difference.

    References
    ----------
    Wang et al. 2019, Fig. 5d-f: three STED scans of one field vary as fluorophores change their
    state, and the sample drifts. How strongly is not printed.
    """
    rng = np.random.default_rng([seed, number])
    side_nm = acquisition.field_px * pixel_size_of(modalities.target)
    emitters = sample.emitters((0.0, side_nm, side_nm), rng)
    count, spread = acquisition.scans, acquisition.fluctuation
    steps_nm = rng.normal(0.0, acquisition.drift_nm / np.sqrt(2), (count, 2))
    drifts_nm = np.cumsum(steps_nm, axis=0)
    names = ["target", *(f"scan{scan}" for scan in range(2, count + 1))]
    fading = (1 - acquisition.decay) ** np.arange(count)
    brightness = {
        name: emitters.brightness
        * rng.lognormal(-(spread**2) / 2, spread, len(emitters.brightness))
        * left
        for name, left in zip(names, fading, strict=True)
    }
    image = image_plane(emitters, modalities.input, side_nm)
    input_scan = photograph(image, modalities.input, rng)
    scans = {}
    for name, drift_nm, left in zip(names, drifts_nm, fading, strict=True):
        image = image_plane(emitters, modalities.target, side_nm, drift_nm, brightness[name], left)
        scans[name] = photograph(image, modalities.target, rng)
    still = image_plane(emitters, modalities.target, side_nm)
    return Acquired(
        images={"input": {"": input_scan}, "target": {"": scans.pop("target")}},
        noiseless=noiseless(still, modalities.target),
        noiseless_pixel_nm=pixel_size_of(modalities.target),
        further_scans=scans,
        emitters=replace(emitters, facts={**emitters.facts, **brightness}),
        drifts_nm=drifts_nm,
    )
