import numpy as np
import pandas as pd
import pytest

from crossres.measure import MeasuredImage, measure_field
from crossres.measure.registry import measurements, quantities, summary_columns
from crossres.settings import Measure, Modulation, Spots

SPOTS = Measure(spots=Spots())
BEADS = np.array([(35.0, 35.0), (35.0, 95.0), (95.2, 34.8), (64.7, 65.3)])
PAIR = np.array([(110.0, 96.0), (110.0, 104.0)])
PIXEL_NM = 30.0


def scan(fwhm_nm, noise=0.5, seed=0):
    """Beads of height 100 over a background of 10, and their noise."""
    y, x = np.mgrid[:140, :150]
    light = np.random.default_rng(seed).normal(10.0, noise, y.shape)
    for v, u in [*BEADS, *PAIR]:
        light += 100 * 2.0 ** (-4 * ((y - v) ** 2 + (x - u) ** 2) / (fwhm_nm / PIXEL_NM) ** 2)
    return light


def measure_all(images, target, settings):
    """Measure every method's image of one field; tables with a column ``method``."""
    found = {
        name: measure_field(MeasuredImage(name, image, target, PIXEL_NM, settings=settings))
        for name, image in images.items()
    }
    return tuple(
        pd.concat([tables[i].assign(method=name) for name, tables in found.items()]) for i in (0, 1)
    )


@pytest.fixture(scope="module")
def measured():
    target = scan(120)
    images = {"input": scan(260, seed=1), "sharp": scan(150, noise=2.0, seed=2), "target": target}
    return measure_all(images, target, SPOTS)


def value_of(metrics, method, metric):
    (value,) = metrics.value[(metrics.method == method) & (metrics.metric == metric)]
    return value


@pytest.mark.parametrize(("method", "fwhm_nm"), [("target", 120), ("input", 260), ("sharp", 150)])
def test_median_width_of_every_method(measured, method, fwhm_nm):
    assert value_of(measured[0], method, "fwhm_nm") == pytest.approx(fwhm_nm, rel=0.03)


@pytest.mark.parametrize(("method", "noise"), [("target", 0.5), ("sharp", 2.0)])
def test_signal_to_noise_is_the_beads_height_over_the_noise(measured, method, noise):
    assert value_of(measured[0], method, "snr") == pytest.approx(100 / noise, rel=0.05)


def test_every_method_is_measured_at_the_same_places(measured):
    _, structures = measured
    places = {
        method: rows[["structure", "y_nm", "x_nm", "metric"]].to_numpy().tolist()
        for method, rows in structures.groupby("method")
    }
    assert places.keys() == {"input", "sharp", "target"}
    assert places["input"] == places["target"] == places["sharp"]


def test_isolated_beads_lie_where_they_were_put(measured):
    _, structures = measured
    beads = structures[(structures.method == "target") & (structures.metric == "fwhm_nm")]
    found = beads[["y_nm", "x_nm"]].to_numpy()
    # centres of pixels lie half a pixel from their edge; the two of the pair are not isolated
    expected = (np.round(BEADS) + 0.5) * PIXEL_NM
    assert sorted(map(tuple, found)) == sorted(map(tuple, expected))


def test_the_pair_is_resolved_where_the_spots_are_narrow_enough(measured):
    _, structures = measured
    distance = structures[structures.metric == "peak_to_peak_nm"].set_index("method")
    assert len(distance) == 3
    for method in ("target", "sharp"):
        assert distance.value[method] == pytest.approx(8 * PIXEL_NM, abs=0.6 * PIXEL_NM)
    assert np.isnan(distance.value["input"])
    assert tuple(distance.loc["target", ["y_nm", "x_nm"]]) == pytest.approx((3315.0, 3015.0))


def test_the_target_is_not_compared_with_itself(measured):
    metrics, _ = measured
    compared = metrics[metrics.metric == "pearson_r"]
    assert compared.method.tolist() == ["input", "sharp"]
    assert value_of(metrics, "sharp", "pearson_r") > value_of(metrics, "input", "pearson_r")


def test_whatever_is_measured_has_a_unit_and_a_label(measured):
    for table in measured:
        assert set(table.metric) <= set(quantities())
    assert quantities()["fwhm_nm"].heading == "FWHM (nm)"
    assert quantities()["ssim"].heading == "SSIM"


def test_without_settings_only_the_images_are_compared(rng):
    images = {"input": rng.random((30, 31)), "cnn": rng.random((30, 31))}
    metrics, structures = measure_all(images, rng.random((30, 31)), Measure())
    assert set(metrics.metric) == {"mse", "psnr_db", "nrmse", "ssim", "pearson_r"}
    assert len(metrics) == 10
    assert structures.empty


def test_modulation_is_measured_where_it_is_asked_for_in_the_target_too(rng):
    images = dict.fromkeys(("input", "target"), rng.random((60, 61)))
    settings = Measure(modulation=Modulation(window_px=11))
    metrics, _ = measure_all(images, images["target"], settings)
    for metric in ("modulation_depth", "sharpness"):
        assert value_of(metrics, "input", metric) == value_of(metrics, "target", metric)


def test_a_field_without_beads_gives_nan_and_no_structures(rng):
    target = rng.normal(10, 1, (80, 81))
    images = {"input": rng.normal(10, 1, (80, 81)), "target": target}
    metrics, structures = measure_all(images, target, SPOTS)
    assert structures.empty
    for method in ("input", "target"):
        assert np.isnan(value_of(metrics, method, "fwhm_nm"))
        assert np.isnan(value_of(metrics, method, "snr"))


def test_no_two_measurements_give_one_quantity():
    names = [q.name for entry in measurements() for q in entry.quantities]
    assert len(names) == len(set(names))


def test_summaries_begin_with_width_and_contrast_and_end_with_the_truth():
    columns = [q.name for q in summary_columns()]
    assert columns[:4] == ["fwhm_nm", "fwhm_axial_nm", "snr", "psnr_db"]
    against_truth = [q.against_truth for q in summary_columns()]
    assert against_truth == sorted(against_truth)
    assert any(against_truth)
