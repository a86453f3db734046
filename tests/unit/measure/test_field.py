import numpy as np
import pytest

from crossres.measure.field import UNITS, measure_field

SPOTS = {"fwhm_nm": 120, "crop_px": 19, "isolation_nm": 700, "threshold_sigma": 8,
         "pair_distance_nm": [150, 290]}  # fmt: skip
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


@pytest.fixture
def measured():
    target = scan(120)
    images = {"input": scan(260, seed=1), "sharp": scan(150, noise=2.0, seed=2)}
    return measure_field(images, target, PIXEL_NM, SPOTS)


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


def test_images_are_compared_with_the_target_alone(measured):
    metrics, _ = measured
    compared = metrics[metrics.metric == "pearson_r"]
    assert compared.method.tolist() == ["input", "sharp"]
    assert value_of(metrics, "sharp", "pearson_r") > value_of(metrics, "input", "pearson_r")


def test_every_metric_has_a_unit(measured):
    assert set(measured[0].metric) <= set(UNITS)


def test_without_spots_only_the_images_are_compared(rng):
    images = {"input": rng.random((30, 31)), "cnn": rng.random((30, 31))}
    metrics, structures = measure_field(images, rng.random((30, 31)), PIXEL_NM, None)
    assert set(metrics.metric) == {"mse", "psnr_db", "nrmse", "ssim", "pearson_r"}
    assert len(metrics) == 10
    assert structures.empty


def test_a_field_without_beads_gives_nan_and_no_structures(rng):
    images = {"input": rng.normal(10, 1, (80, 81))}
    metrics, structures = measure_field(images, rng.normal(10, 1, (80, 81)), PIXEL_NM, SPOTS)
    assert structures.empty
    for method in ("input", "target"):
        assert np.isnan(value_of(metrics, method, "fwhm_nm"))
        assert np.isnan(value_of(metrics, method, "snr"))
