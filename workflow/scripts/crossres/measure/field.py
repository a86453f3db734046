"""Everything that is measured on one blind-test field, for every method alike."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from crossres.measure.contrast import object_free_mask, signal_to_noise
from crossres.measure.modulation import modulation
from crossres.measure.pairs import find_pairs, pair_profile, peak_to_peak
from crossres.measure.similarity import compare
from crossres.measure.spots import find_spots, fit_spots, isolated

UNITS = {
    "fwhm_nm": "nm",
    "peak_to_peak_nm": "nm",
    "snr": "1",
    "psnr_db": "dB",
    "ssim": "1",
    "nrmse": "1",
    "mse": "1",
    "pearson_r": "1",
    "pearson_r_scan_mean": "1",
    "modulation_depth": "1",
    "sharpness": "1/px",
}
PAIR_PROFILE_BEYOND_PX = 8.0


def measure_field(
    images: Mapping[str, np.ndarray],
    target: np.ndarray,
    pixel_size_nm: float,
    spots: Mapping[str, Any] | None,
    modulation_window_px: int | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measure every method's image of one field against the registered target.

    Places are found in the target alone, and every method is measured at the same places.

    Parameters
    ----------
    images
        (Y, X) counts by name of the restoration, "input" among them.
    target
        (Y, X) counts, registered onto the input.
    pixel_size_nm
        Of all of them.
    spots
        Settings ``measure.spots``; None where the sample has none.
    modulation_window_px
        Window of :func:`crossres.measure.modulation.modulation`; None to leave it out.

    Returns
    -------
    metrics : DataFrame
        ``method``, ``metric``, ``value``; ``fwhm_nm`` is the median over the field's spots, NaN
        where none could be fitted.
    structures : DataFrame
        ``method``, ``structure`` (bead_0, pair_0 ...), ``y_nm``, ``x_nm``, ``metric``, ``value``.
    """
    metrics = [
        (method, metric, value)
        for method, image in images.items()
        for metric, value in compare(image, target).items()
    ]
    if modulation_window_px is not None:
        metrics += modulation({**images, "target": target}, target, modulation_window_px)
    structures: list[tuple[str, str, float, float, str, float]] = []
    if spots is not None:
        everything = {**images, "target": target}
        found = find_spots(target, spots["fwhm_nm"] / pixel_size_nm, spots["threshold_sigma"])
        structures += _beads(everything, found, pixel_size_nm, spots)
        structures += _pairs(everything, target, found, pixel_size_nm, spots)
        metrics += _field_values(everything, structures, found, pixel_size_nm, spots)
    return (
        pd.DataFrame(metrics, columns=["method", "metric", "value"]),
        pd.DataFrame(
            structures, columns=["method", "structure", "y_nm", "x_nm", "metric", "value"]
        ),
    )


def _beads(
    images: Mapping[str, np.ndarray],
    found: np.ndarray,
    pixel_size_nm: float,
    spots: Mapping[str, Any],
) -> list[tuple[str, str, float, float, str, float]]:
    half = spots["crop_px"] // 2
    shape = next(iter(images.values())).shape
    alone = found[isolated(found, spots["isolation_nm"] / pixel_size_nm)]
    inside = ((alone >= half) & (alone < np.asarray(shape) - half)).all(axis=1)
    alone = alone[inside]
    rows = []
    for method, image in images.items():
        fits = fit_spots(image, alone, pixel_size_nm, spots["crop_px"])
        for number, ((y, x), fit) in enumerate(zip(alone, fits.itertuples(), strict=True)):
            place = ((y + 0.5) * pixel_size_nm, (x + 0.5) * pixel_size_nm)
            rows.append((method, f"bead_{number}", *place, "fwhm_nm", fit.fwhm_nm))
            rows.append((method, f"bead_{number}", *place, "peak", fit.peak + fit.background))
    return rows


def _pairs(
    images: Mapping[str, np.ndarray],
    target: np.ndarray,
    found: np.ndarray,
    pixel_size_nm: float,
    spots: Mapping[str, Any],
) -> list[tuple[str, str, float, float, str, float]]:
    least, greatest = (nm / pixel_size_nm for nm in spots["pair_distance_nm"])
    spot_px = spots["fwhm_nm"] / pixel_size_nm
    rows = []
    for number, (i, j) in enumerate(find_pairs(found, least, greatest)):
        middle = (found[i] + found[j]) / 2
        place = tuple((middle + 0.5) * pixel_size_nm)
        angle = float(np.degrees(np.arctan2(*(found[j] - found[i]))))
        for method, image in images.items():
            profile = pair_profile(image, found[i], found[j], PAIR_PROFILE_BEYOND_PX)
            distance_nm = peak_to_peak(*profile, spot_px) * pixel_size_nm
            rows.append((method, f"pair_{number}", *place, "peak_to_peak_nm", distance_nm))
            rows.append((method, f"pair_{number}", *place, "angle_degree", angle))
    return rows


def _field_values(
    images: Mapping[str, np.ndarray],
    structures: list[tuple[str, str, float, float, str, float]],
    found: np.ndarray,
    pixel_size_nm: float,
    spots: Mapping[str, Any],
) -> list[tuple[str, str, float]]:
    clearance_px = spots["isolation_nm"] / 2 / pixel_size_nm + spots["crop_px"] / 4
    rows = []
    for method, image in images.items():
        values: dict[str, list[float]] = {"fwhm_nm": [], "peak": []}
        for row in structures:
            if row[0] == method and row[4] in values:
                values[row[4]].append(row[5])
        widths = np.asarray(values["fwhm_nm"], dtype=float)
        known = widths[np.isfinite(widths)]
        rows.append((method, "fwhm_nm", float(np.median(known)) if len(known) else float("nan")))
        mask = object_free_mask(image.shape, found, clearance_px)
        rows.append((method, "snr", signal_to_noise(image, np.asarray(values["peak"]), mask)))
    return rows
