"""Each field as a stack of slices by either microscope."""

import numpy as np

from crossres.optics import ball_image
from crossres.samples import Emitters, PointSample
from crossres.settings import Microscope, Modalities, VolumeAcquisition
from crossres.simulate.acquisition.acquired import Acquired, photograph_both
from crossres.simulate.rendering import pixel_size_of, render_volume


def acquire_volume(
    sample: PointSample,
    acquisition: VolumeAcquisition,
    modalities: Modalities,
    channel: str,
    number: int,
    seed: int,
) -> Acquired:
    """Simulate both stacks of one field; the stage drifts in between, along z too.

    Both cover the extent of the target's slices, each in its own pixels and steps. Slice k is
    focused at (k + 0.5) steps from the edge of the extent. The drift is ``drift_nm`` long (root
    mean square) in three dimensions.

    Parameters are those of :func:`crossres.simulate.acquire`; the channel makes no difference.
    """
    rng = np.random.default_rng([seed, number])
    side_nm = acquisition.field_px * pixel_size_of(modalities.target)
    depth_nm = acquisition.slices * z_step_of(modalities.target)
    size_nm = (depth_nm, side_nm, side_nm)
    emitters = sample.emitters(size_nm, rng)
    drift_nm = rng.normal(0.0, acquisition.drift_nm / np.sqrt(3), 3)
    seen = {
        "input": image_volume(emitters, modalities.input, size_nm),
        "target": image_volume(emitters, modalities.target, size_nm, drift_nm),
    }
    still = image_volume(emitters, modalities.target, size_nm)
    return photograph_both(seen, still, modalities, emitters, drift_nm, rng)


def image_volume(
    emitters: Emitters,
    microscope: Microscope,
    size_nm: tuple[float, float, float],
    drift_nm: np.ndarray | None = None,
) -> np.ndarray:
    """Return the image of a volume, without noise.

    Parameters
    ----------
    emitters
        Those outside the volume shine into it.
    microscope
        In one channel.
    size_nm
        (Z, Y, X) extent.
    drift_nm
        (dz, dy, dx) by which everything has moved; nothing by default.

    Returns
    -------
    ndarray
        (Z, Y, X) float64, in units of the peak of an emitter of brightness 1.
    """
    pixel_nm, step_nm = pixel_size_of(microscope), z_step_of(microscope)
    depth, height, width = size_nm
    shape = (round(depth / step_nm), round(height / pixel_nm), round(width / pixel_nm))
    position_nm = emitters.position_nm + (0.0 if drift_nm is None else drift_nm)
    farthest_nm = np.abs(position_nm[:, 0] - depth / 2).max(initial=0.0) + depth / 2
    # in round numbers, so that all fields share one
    reach_nm = 1e3 * float(np.ceil(farthest_nm / 1e3))
    image = ball_image(microscope, emitters.diameter_nm, reach_nm)
    return render_volume(position_nm, emitters.brightness, image, shape, pixel_nm, step_nm)


def z_step_of(microscope: Microscope) -> float:
    """Return the z step in nm, which every simulated stack has."""
    assert microscope.z_step_nm is not None
    return microscope.z_step_nm
