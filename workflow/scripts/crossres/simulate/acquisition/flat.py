"""One plane of emitters through one microscope, without noise."""

import numpy as np

from crossres.optics import ball_profile
from crossres.optics.radial import area_nm2
from crossres.samples import Emitters
from crossres.settings import Microscope
from crossres.simulate.rendering import pixel_size_of, render_flat


def image_plane(
    emitters: Emitters,
    microscope: Microscope,
    side_nm: float,
    shift_nm: np.ndarray | None = None,
    brightness: np.ndarray | None = None,
    haze_left: float = 1.0,
) -> np.ndarray:
    """Return the image of a square field in focus, without noise.

    Parameters
    ----------
    emitters
        All in the focal plane.
    microscope
        In one channel.
    side_nm
        Side of the field.
    shift_nm
        (dy, dx) by which everything has moved; nothing by default.
    brightness
        (N,) of the emitters in this image, if it is another.
    haze_left
        Part of the haze that has not bleached.

    Returns
    -------
    ndarray
        (Y, X) float64, in units of the peak of an emitter of brightness 1.
    """
    size_nm = pixel_size_of(microscope)
    profile = ball_profile(microscope, emitters.diameter_nm)
    shift_nm = np.zeros(2) if shift_nm is None else shift_nm
    brightness = emitters.brightness if brightness is None else brightness
    pixels, around = round(side_nm / size_nm), int(np.ceil(emitters.border_nm / size_nm))
    wide = pixels + 2 * around
    position_nm = emitters.position_nm[:, 1:] + (shift_nm + around * size_nm)
    image = render_flat(position_nm, brightness, profile, (wide, wide), size_nm)
    image = image[around : around + pixels, around : around + pixels]
    if emitters.haze is not None:
        haze = emitters.haze((pixels, pixels), size_nm, -shift_nm)
        image = image + haze * (area_nm2(profile) * haze_left)
    return image
