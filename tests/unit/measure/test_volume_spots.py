import numpy as np
import pandas as pd
import pytest

from crossres.measure import (
    MeasuredImage,
    find_spots,
    fit_volume_spots,
    isolated,
    measure_field,
)
from crossres.settings import Measure, Modulation, Spots

FWHM_PER_SIGMA = 2.3548200450309493
STEPS_NM = (100.0, 40.0, 40.0)
CROP_PX = (17, 17, 17)
MEASURE = Measure(
    spots=Spots(fwhm_nm=140.0, axial_fwhm_nm=420.0, crop_px=17), modulation=Modulation()
)


def gaussian(shape, centre, fwhm_nm, axial_nm, stretch=1.0, turn_degree=0.0):
    """A spot of height 1; ``stretch`` makes it longer along one lateral axis than the other."""
    z, y, x = (
        (axis - c) * step for axis, c, step in zip(np.indices(shape), centre, STEPS_NM, strict=True)
    )
    cos, sin = np.cos(np.radians(turn_degree)), np.sin(np.radians(turn_degree))
    a, b = (y * cos + x * sin) / stretch, (x * cos - y * sin) * stretch
    return 2.0 ** (-4 * ((z / axial_nm) ** 2 + (a**2 + b**2) / fwhm_nm**2))


@pytest.mark.parametrize(("fwhm_nm", "axial_nm"), [(140, 420), (110, 350), (260, 640)])
@pytest.mark.parametrize("offset", [(0.0, 0.0, 0.0), (0.4, -0.3, 0.2)])
def test_a_gaussian_is_fitted_exactly(fwhm_nm, axial_nm, offset):
    centre = np.add((12, 20, 23), offset)
    volume = 500 * gaussian((25, 41, 45), centre, fwhm_nm, axial_nm) + 30
    fit = fit_volume_spots(volume, np.array([[12, 20, 23]]), STEPS_NM, CROP_PX).iloc[0]
    assert fit.fitted
    assert (fit.z_px, fit.y_px, fit.x_px) == pytest.approx(centre, abs=1e-3)
    assert fit.fwhm_nm == pytest.approx(fwhm_nm, rel=1e-3)
    assert fit.fwhm_axial_nm == pytest.approx(axial_nm, rel=1e-3)
    assert fit.peak == pytest.approx(500, rel=1e-3)
    assert fit.background == pytest.approx(30, abs=0.5)


@pytest.mark.parametrize("turn_degree", [0.0, 35.0, 90.0])
def test_lateral_widths_may_differ_and_turn(turn_degree):
    volume = 100 * gaussian((25, 41, 41), (12, 20, 20), 160, 420, 1.25, turn_degree) + 5
    fit = fit_volume_spots(volume, np.array([[12, 20, 20]]), STEPS_NM, CROP_PX).iloc[0]
    assert fit.fwhm_major_nm == pytest.approx(200, rel=0.01)
    assert fit.fwhm_minor_nm == pytest.approx(128, rel=0.01)
    assert fit.fwhm_nm == pytest.approx(160, rel=0.01)


@pytest.mark.parametrize("z", [5, 19])
def test_a_crop_may_lose_slices_at_the_ends_of_the_stack(z):
    volume = 500 * gaussian((25, 41, 41), (z, 20, 20), 140, 420) + 30
    fit = fit_volume_spots(volume, np.array([[z, 20, 20]]), STEPS_NM, CROP_PX).iloc[0]
    assert fit.fitted
    assert fit.fwhm_axial_nm == pytest.approx(420, rel=0.01)


def test_a_crop_that_would_leave_the_volume_laterally_is_not_fitted():
    volume = 500 * gaussian((25, 41, 41), (12, 6, 20), 140, 420)
    fit = fit_volume_spots(volume, np.array([[12, 6, 20]]), STEPS_NM, CROP_PX).iloc[0]
    assert not fit.fitted
    assert np.isnan(fit.fwhm_nm)


@pytest.mark.parametrize("kind", ["constant", "hole", "noise"])
def test_what_is_no_spot_is_not_fitted(kind, rng):
    volume = {
        "constant": np.full((25, 41, 41), 7.0),
        "hole": 100 - 50 * gaussian((25, 41, 41), (12, 20, 20), 140, 420),
        "noise": rng.normal(100, 5, (25, 41, 41)),
    }[kind]
    assert not fit_volume_spots(volume, np.array([[12, 20, 20]]), STEPS_NM, CROP_PX).fitted.any()


def test_no_positions_give_an_empty_table():
    fits = fit_volume_spots(np.zeros((9, 20, 20)), np.empty((0, 3)), STEPS_NM, CROP_PX)
    assert len(fits) == 0
    assert {"fwhm_nm", "fwhm_axial_nm", "peak", "background"} <= set(fits)


def test_distances_count_in_nm_where_a_slice_is_thicker_than_a_pixel():
    # 8 slices of 100 nm, and 8 pixels of 40 nm
    places = np.array([[2, 20, 20], [10, 20, 20], [30, 20, 20], [30, 28, 20]]) * STEPS_NM
    assert isolated(places, 700.0).tolist() == [True, True, False, False]


SHAPE = (33, 150, 160)
PLACES = np.array(
    [(16, 30, 30), (12.3, 30, 80.2), (20, 30.4, 130), (16.5, 85, 30), (14, 84.7, 80),
     (18, 85, 130.4), (16, 125, 55), (16, 125, 105)]
)  # fmt: skip


def beads(fwhm_nm, axial_nm, seed, gain=1.0):
    light = sum(80 * gaussian(SHAPE, place, fwhm_nm, axial_nm) for place in PLACES) + 5
    return np.random.default_rng(seed).poisson(gain * light) / gain


@pytest.fixture(scope="module")
def measured():
    images = {
        "input": beads(240, 620, 1),
        "rcan": beads(150, 450, 2, gain=20),
        "target": beads(140, 420, 3),
    }
    found = {
        name: measure_field(
            MeasuredImage(name, image, images["target"], 40.0, 100.0, settings=MEASURE)
        )
        for name, image in images.items()
    }
    return tuple(
        pd.concat([tables[i].assign(method=name) for name, tables in found.items()]) for i in (0, 1)
    )


def test_every_bead_of_a_volume_is_found_and_nothing_else():
    found = find_spots(beads(140, 420, 0), (4.2, 3.5, 3.5), 8.0)
    assert len(found) == len(PLACES)
    distance = np.abs(found[:, None] - PLACES[None]).max(axis=2)
    assert distance.min(axis=1).max() <= 1.0


@pytest.mark.parametrize(
    ("method", "fwhm_nm", "axial_nm"),
    [("input", 240, 620), ("rcan", 150, 450), ("target", 140, 420)],
)
def test_lateral_and_axial_widths_of_a_field(measured, method, fwhm_nm, axial_nm):
    metrics, structures = measured
    found = metrics[metrics.method == method].set_index("metric").value
    assert found.fwhm_nm == pytest.approx(fwhm_nm, rel=0.03)
    assert found.fwhm_axial_nm == pytest.approx(axial_nm, rel=0.03)
    rows = structures[(structures.method == method) & (structures.metric == "fwhm_axial_nm")]
    assert len(rows) == len(PLACES)


def test_places_of_beads_have_a_height(measured):
    _, structures = measured
    rows = structures[(structures.method == "input") & (structures.metric == "fwhm_nm")]
    found = rows[["z_nm", "y_nm", "x_nm"]].to_numpy()
    expected = (PLACES + 0.5) * STEPS_NM
    distance = np.abs(found[:, None] - expected[None]) / STEPS_NM
    assert distance.max(axis=2).min(axis=1).max() <= 1.0


def test_signal_to_noise_of_volumes(measured):
    # Poisson noise of a background of 5 photons; 80 at the peak
    metrics, _ = measured
    found = metrics[metrics.metric == "snr"].set_index("method").value
    assert found["target"] == pytest.approx(80 / np.sqrt(5), rel=0.05)
    assert found["rcan"] == pytest.approx(80 / np.sqrt(5 / 20), rel=0.05)


def test_pairs_and_modulation_are_measured_in_images_alone(measured):
    metrics, structures = measured
    assert not structures.structure.str.startswith("pair").any()
    assert "modulation_depth" not in set(metrics.metric)
