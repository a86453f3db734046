"""One field scanned with two modalities, one after the other."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from crossres.optics import detect, modality_profile
from crossres.optics.radial import RADIUS_STEP_NM, gaussian_spectrum, profile_of, spectrum_of
from crossres.simulate.beads import place_beads, render_beads
from crossres.simulate.nuclei import draw_haze, place_nuclei, place_puncta


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
    images = {}
    for role, shift_nm in (("input", np.zeros(2)), ("target", drift_nm)):
        modality = modalities[role]
        profile = _seen_profile(modality, simulator["bead_diameter_nm"])
        pixels = round(field_nm / modality["pixel_size_nm"])
        image = _render(beads, shift_nm, profile, pixels, modality["pixel_size_nm"])
        images[role] = _photograph(image, modality["camera"], rng)
    return images, beads, drift_nm


def acquire_scans(
    simulator: Mapping[str, Any],
    modalities: Mapping[str, Mapping[str, Any]],
    field_number: int,
) -> tuple[dict[str, np.ndarray], pd.DataFrame, np.ndarray]:
    """Simulate the input's scan of one field of nuclei, then several scans by the target's optics.

    The scans of the target fluctuate, as fluorophores go dark and come back: in each, every
    punctum is brighter or dimmer by chance, and all fade from scan to scan. The stage drifts on
    from scan to scan. The same seed and field number always give the same scans.

    Parameters
    ----------
    simulator
        ``seed``, ``field_px`` (of the target), ``drift_nm`` (root mean square length of the drift
        from one scan to the next) and ``nuclei``: ``scans`` of the target; ``fluctuation``,
        standard deviation of the logarithm of a punctum's brightness over the scans; ``decay``,
        part of the light that a scan bleaches; ``haze``, part of the light from between the
        puncta; ``punctum_diameter_nm``; and the settings of :func:`place_puncta`.
    modalities
        ``input`` and ``target``, each with its optics, ``pixel_size_nm`` and ``camera``.
    field_number
        Number of the field within the whole acquisition.

    Returns
    -------
    images : dict
        ``input``, ``target`` (the first scan), ``scan2``, ``scan3`` ...: (Y, X) unsigned integers
        as the detector gives them.
    puncta : DataFrame
        The truth, as :func:`place_puncta` returns it, in the input's frame, with a column for each
        scan of the target (``target``, ``scan2`` ...): the brightness in it.
    drifts_nm : ndarray
        (S, 2): (dy, dx) of each scan of the target against the input's.

    References
    ----------
    Wang et al. 2019, Fig. 5d-f: three STED scans of one field vary as fluorophores change their
    state, and the sample drifts. How strongly is not printed.
    """
    rng = np.random.default_rng([simulator["seed"], field_number])
    settings = simulator["nuclei"]
    field_nm = simulator["field_px"] * modalities["target"]["pixel_size_nm"]
    nuclei = place_nuclei(field_nm, rng)
    puncta = place_puncta(nuclei, settings, rng)
    count, spread = settings["scans"], settings["fluctuation"]
    steps_nm = rng.normal(0.0, simulator["drift_nm"] / np.sqrt(2), (count, 2))
    drifts_nm = np.cumsum(steps_nm, axis=0)
    names = ["target", *(f"scan{number}" for number in range(2, count + 1))]
    fading = (1 - settings["decay"]) ** np.arange(count)
    for name, left in zip(names, fading, strict=True):
        factor = rng.lognormal(-(spread**2) / 2, spread, len(puncta))
        puncta[name] = puncta.brightness * factor * left
    images = {}
    for name, shift_nm, left in zip(
        ["input", *names], [np.zeros(2), *drifts_nm], [1.0, *fading], strict=True
    ):
        modality = modalities["input" if name == "input" else "target"]
        seen = puncta if name == "input" else puncta.assign(brightness=puncta[name])
        image = _scan_nuclei(nuclei, seen, left, shift_nm, modality, field_nm, settings)
        images[name] = _photograph(image, modality["camera"], rng)
    return images, puncta, drifts_nm


def _scan_nuclei(
    nuclei: pd.DataFrame,
    puncta: pd.DataFrame,
    left: float,
    shift_nm: np.ndarray,
    modality: Mapping[str, Any],
    field_nm: float,
    settings: Mapping[str, Any],
) -> np.ndarray:
    """Return (Y, X): puncta and haze without noise, in units of the peak of a mean punctum."""
    size_nm = modality["pixel_size_nm"]
    profile = _seen_profile(modality, settings["punctum_diameter_nm"])
    pixels, around = round(field_nm / size_nm), int(np.ceil(MARGIN_NM / size_nm))
    corner_nm = -np.full(2, around * size_nm)
    wide = _render(puncta, shift_nm - corner_nm, profile, pixels + 2 * around, size_nm)
    inside = slice(around, around + pixels)
    # the mean light of the puncta: their density times the PSF's volume, in nm^2 for a peak of 1
    volume_nm2 = 2 * np.pi * RADIUS_STEP_NM * spectrum_of(profile)[0]
    mean_light = settings["puncta_per_um2"] / 1e6 * volume_nm2 * left
    haze = draw_haze(nuclei, (pixels, pixels), size_nm, -shift_nm)
    share = settings["haze"]
    return wide[inside, inside] + share / (1 - share) * mean_light * haze


MARGIN_NM = 1000.0
"""Puncta as far outside the field still shine into it."""


def _seen_profile(modality: Mapping[str, Any], diameter_nm: float) -> np.ndarray:
    """Return the radial image of a sphere, of peak 1."""
    blur = gaussian_spectrum(bead_blur_fwhm_nm(diameter_nm))
    return profile_of(spectrum_of(modality_profile(modality)) * blur)


def _render(
    spots: pd.DataFrame, shift_nm: np.ndarray, profile: np.ndarray, pixels: int, size_nm: float
) -> np.ndarray:
    """Return the (pixels, pixels) image of the spots that lie within it once they are shifted."""
    seen = spots.assign(y_nm=spots.y_nm + shift_nm[0], x_nm=spots.x_nm + shift_nm[1])
    seen = seen[seen[["y_nm", "x_nm"]].ge(0).all(axis=1)]
    seen = seen[seen[["y_nm", "x_nm"]].lt(pixels * size_nm).all(axis=1)]
    return render_beads(seen, profile, (pixels, pixels), size_nm)


def _photograph(
    image: np.ndarray, camera: Mapping[str, float], rng: np.random.Generator
) -> np.ndarray:
    """Return what the detector writes of an image in which 1 gives ``peak_photons``."""
    return detect(np.clip(image, 0, None) * camera["peak_photons"], camera, rng)
