"""Emitters to images: the PSF at the exact place of each, then what a camera makes of it."""

import numpy as np
from scipy.interpolate import CubicSpline

from crossres.optics import BallImage, detect, expected_counts
from crossres.optics.radial import RADIUS_MAX_NM, radius_grid
from crossres.settings import Camera, Microscope

FAINT = 1e-4
"""Part of the peak below which the image of an emitter in a volume is cut off."""


def render_flat(
    position_nm: np.ndarray,
    brightness: np.ndarray,
    profile: np.ndarray,
    shape: tuple[int, int],
    pixel_size_nm: float,
) -> np.ndarray:
    """Sum the image of every emitter in a plane, brightness 1 giving a peak of 1.

    Parameters
    ----------
    position_nm
        (N, 2) y and x from the image's edge; emitters outside the image are left out.
    brightness
        (N,).
    profile
        (R,) radial image of an emitter, peak 1, on :func:`crossres.optics.radial.radius_grid`.
    shape
        (Y, X) of the image; pixel i has its centre at (i + 0.5) * pixel_size_nm.
    pixel_size_nm
        Pixel size.

    Returns
    -------
    ndarray
        (Y, X) float64.
    """
    spline = CubicSpline(radius_grid(), profile)
    # beyond this radius every profile here has fallen below a thousandth of its peak
    reach_nm = min(RADIUS_MAX_NM, radius_grid()[np.flatnonzero(profile > 1e-3)[-1]])
    half = int(np.ceil(reach_nm / pixel_size_nm)) + 1
    image = np.zeros((shape[0] + 2 * half, shape[1] + 2 * half))
    window = np.arange(-half, half + 1)
    end_nm = np.array(shape) * pixel_size_nm
    seen = ((position_nm >= 0) & (position_nm < end_nm)).all(axis=1)
    for (y_nm, x_nm), peak in zip(position_nm[seen], brightness[seen], strict=True):
        row, column = int(y_nm // pixel_size_nm), int(x_nm // pixel_size_nm)
        dy = (row + window + 0.5) * pixel_size_nm - y_nm
        dx = (column + window + 0.5) * pixel_size_nm - x_nm
        radius = np.hypot(dy[:, None], dx[None, :])
        spot = np.where(radius <= reach_nm, spline(np.minimum(radius, reach_nm)), 0.0)
        image[row : row + 2 * half + 1, column : column + 2 * half + 1] += peak * spot
    return image[half:-half, half:-half]


def render_volume(
    position_nm: np.ndarray,
    brightness: np.ndarray,
    image: BallImage,
    shape: tuple[int, int, int],
    pixel_size_nm: float,
    z_step_nm: float,
) -> np.ndarray:
    """Sum the image of every emitter in a volume, brightness 1 giving a peak of 1.

    Parameters
    ----------
    position_nm
        (N, 3) z, y and x from the volume's edge; light from outside the volume counts.
    brightness
        (N,).
    image
        Of an emitter of brightness 1, as of :func:`crossres.optics.ball_image`.
    shape
        (Z, Y, X); slice k is focused at (k + 0.5) * z_step_nm, pixel i has its centre at
        (i + 0.5) * pixel_size_nm.
    pixel_size_nm, z_step_nm
        Lateral pixel size and distance of slices.

    Returns
    -------
    ndarray
        (Z, Y, X) float64.
    """
    volume = np.zeros(shape)
    z_nm, y_nm, x_nm = (
        (np.arange(n) + 0.5) * step
        for n, step in zip(shape, (z_step_nm, pixel_size_nm, pixel_size_nm), strict=True)
    )
    for place, peak in zip(position_nm, brightness, strict=True):
        away_nm = z_nm - place[0]
        reach_nm = image.reach_nm(away_nm, FAINT)
        rows, columns = (
            slice(*np.searchsorted(axis_nm, [centre - reach_nm, centre + reach_nm]))
            for axis_nm, centre in ((y_nm, place[1]), (x_nm, place[2]))
        )
        radius = np.hypot((y_nm[rows] - place[1])[:, None], x_nm[columns] - place[2])
        if radius.size:
            spot = image(away_nm[:, None, None], np.minimum(radius, reach_nm))
            volume[:, rows, columns] += peak * np.where(radius < reach_nm, spot, 0.0)
    return volume


def camera_of(microscope: Microscope) -> Camera:
    """Return the camera, which every simulated microscope has."""
    assert microscope.camera is not None
    return microscope.camera


def pixel_size_of(microscope: Microscope) -> float:
    """Return the pixel size in nm, which every simulated microscope has."""
    assert microscope.pixel_size_nm is not None
    return microscope.pixel_size_nm


def photons_of(image: np.ndarray, camera: Camera) -> np.ndarray:
    """Return the photons of an image in which 1 gives ``peak_photons``."""
    photons: np.ndarray = np.clip(image, 0, None) * camera.peak_photons
    return photons


def photograph(image: np.ndarray, microscope: Microscope, rng: np.random.Generator) -> np.ndarray:
    """Return the detected counts of an image in which 1 gives ``peak_photons``."""
    camera = camera_of(microscope)
    return detect(photons_of(image, camera), camera, rng)


def noiseless(image: np.ndarray, microscope: Microscope) -> np.ndarray:
    """Return the expected counts, float32, of an image in which 1 gives ``peak_photons``."""
    camera = camera_of(microscope)
    return expected_counts(photons_of(image, camera), camera)
