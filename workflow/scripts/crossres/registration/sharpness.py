"""Bring two volumes to one sharpness, so that what differs between them is where things are.

A volume is few slices deep, and the axial PSFs of two objectives differ by several of them: near
its top and bottom one shows light that the other does not, which looks like a magnification.
"""

import numpy as np
from scipy.fft import fftfreq, fftn
from scipy.ndimage import gaussian_filter
from scipy.optimize import minimize

NOISE_PX = 1.0
"""Both are compared after a Gaussian blur of this standard deviation, which takes their noise."""
MARGIN = 2.0
"""Times the blur: so near to a border the light of what lies beyond is missing."""
WIDEST_MARGIN = 1 / 6
"""Of an axis, so that enough of it is left."""


def equally_sharp(
    fixed: np.ndarray, free: np.ndarray, shift_px: tuple[float, ...]
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[float, ...]]:
    """Blur the sharper of two volumes as the other is, along z and in the plane.

    Parameters
    ----------
    fixed, free
        (Z, Y, X) of one shape.
    shift_px
        What moves ``free`` onto ``fixed``, to a pixel.

    Returns
    -------
    pair : tuple of ndarray
        Both, float32.
    margins_px : tuple of float
        Along each axis the width of the border in which a blurred volume misses the light of what
        lies beyond.
    """
    axial_px, lateral_px = _blurs(*_overlap(fixed, free, shift_px))
    blurs_px = np.array([axial_px, lateral_px, lateral_px])
    pair = (
        gaussian_filter(np.asarray(fixed, np.float32), np.maximum(-blurs_px, 0)),
        gaussian_filter(np.asarray(free, np.float32), np.maximum(blurs_px, 0)),
    )
    margins_px = np.minimum(MARGIN * np.abs(blurs_px), WIDEST_MARGIN * np.array(fixed.shape))
    return pair, tuple(margins_px.tolist())


def _overlap(
    fixed: np.ndarray, free: np.ndarray, shift_px: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the parts of both that show the same, to a pixel."""
    whole = [round(s) for s in shift_px]
    sides = list(zip(whole, fixed.shape, strict=True))
    return (
        fixed[tuple(slice(max(s, 0), n + min(s, 0)) for s, n in sides)],
        free[tuple(slice(max(-s, 0), n + min(-s, 0)) for s, n in sides)],
    )


def _blurs(fixed: np.ndarray, free: np.ndarray) -> tuple[float, float]:
    """Return the standard deviations along z and in the plane at which both correlate best.

    Positive ones blur ``free``, negative ones ``fixed``.
    """
    spectra = [fftn(image - image.mean()) for image in (fixed, free)]
    squares = [(2 * np.pi * fftfreq(n)) ** 2 for n in fixed.shape]
    axial, y, x = np.meshgrid(*squares, indexing="ij", sparse=True)
    lateral = y + x
    noise = np.exp(-(NOISE_PX**2) * (axial + lateral))
    cross = noise * np.real(spectra[0] * np.conj(spectra[1]))
    powers = [noise * np.abs(spectrum) ** 2 for spectrum in spectra]

    def less_alike(blurs_px: np.ndarray) -> float:
        along_z, in_plane = blurs_px * np.abs(blurs_px)
        # spectra of the blurs of the fixed and of the free volume
        blurred = [
            np.exp(-max(sign * along_z, 0) * axial / 2)
            * np.exp(-max(sign * in_plane, 0) * lateral / 2)
            for sign in (-1, 1)
        ]
        energy = [np.sum(p * b**2) for p, b in zip(powers, blurred, strict=True)]
        shared = np.sum(cross * blurred[0] * blurred[1])
        return -float(shared / np.sqrt(energy[0] * energy[1] + 1e-30))

    simplex = np.array([[0.0, 0.0], [1.5, 0.0], [0.0, 1.0]])
    options = {"initial_simplex": simplex, "xatol": 0.05, "fatol": 1e-6, "maxfev": 80}
    found = minimize(less_alike, simplex[0], method="Nelder-Mead", options=options)
    return float(found.x[0]), float(found.x[1])
