"""One field scanned with two modalities, one after the other."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from crossres.optics import detect, modality_profile
from crossres.optics.radial import gaussian_spectrum, profile_of, spectrum_of
from crossres.simulate.beads import place_beads, render_beads


def bead_blur_fwhm_nm(diameter_nm: float) -> float:
    """FWHM of the Gaussian with the variance of a sphere's projection, R^2 / 5 an axis."""
    return diameter_nm / 2 / np.sqrt(5) * 2 * np.sqrt(2 * np.log(2))


def acquire_pair(
    simulator: Mapping[str, Any],
    modalities: Mapping[str, Mapping[str, Any]],
    field_number: int,
) -> tuple[dict[str, np.ndarray], pd.DataFrame, np.ndarray]:
    """Simulate both scans of one field of beads.

    The stage drifts between the scans: in the target's frame every bead lies at its place plus
    the drift. The same seed and field number always give the same pair.

    Parameters
    ----------
    simulator
        ``seed``, ``field_px`` (of the target), ``drift_nm`` (root mean square length of the
        drift), ``bead_diameter_nm`` and the settings of :func:`place_beads`.
    modalities
        ``input`` and ``target``, each with its optics, ``pixel_size_nm`` and ``camera``.
    field_number
        Number of the field within the whole acquisition.

    Returns
    -------
    images : dict
        ``input`` and ``target``, (Y, X) unsigned integers as the detector gives them.
    beads : DataFrame
        The truth, as :func:`place_beads` returns it, in the input's frame.
    drift_nm : ndarray
        (dy, dx) of the target's scan against the input's.
    """
    rng = np.random.default_rng([simulator["seed"], field_number])
    field_nm = simulator["field_px"] * modalities["target"]["pixel_size_nm"]
    beads = place_beads(field_nm, simulator, rng)
    drift_nm = rng.normal(0.0, simulator["drift_nm"] / np.sqrt(2), 2)
    blur = gaussian_spectrum(bead_blur_fwhm_nm(simulator["bead_diameter_nm"]))
    images = {}
    for role, shift_nm in (("input", np.zeros(2)), ("target", drift_nm)):
        modality = modalities[role]
        camera = modality["camera"]
        profile = profile_of(spectrum_of(modality_profile(modality)) * blur)
        seen = beads.assign(y_nm=beads.y_nm + shift_nm[0], x_nm=beads.x_nm + shift_nm[1])
        seen = seen[seen[["y_nm", "x_nm"]].ge(0).all(axis=1)]
        pixels = round(field_nm / modality["pixel_size_nm"])
        seen = seen[seen[["y_nm", "x_nm"]].lt(pixels * modality["pixel_size_nm"]).all(axis=1)]
        image = render_beads(seen, profile, (pixels, pixels), modality["pixel_size_nm"])
        photons = np.clip(image, 0, None) * camera["peak_photons"]
        images[role] = detect(photons, camera, rng)
    return images, beads, drift_nm
