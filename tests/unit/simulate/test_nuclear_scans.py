import numpy as np
import pytest
import yaml

from crossres.experiments.configuration import SCHEMAS
from crossres.measure import fit_spots
from crossres.registration import estimate_shift
from crossres.simulate import acquire_scans

EXPERIMENT = SCHEMAS.parents[1] / "config" / "experiments" / "confocal_sted_nuclei.yaml"
CAMERA = {"peak_photons": 500.0, "background_photons": 10.0, "gain": 1.0, "offset": 10.0,
          "read_noise": 2.0, "bit_depth": 16}  # fmt: skip
BACKGROUND = 20.0
MODALITY = {"kind": "confocal", "na": 1.4, "refractive_index": 1.515, "excitation_nm": 633.0,
            "wavelength_nm": 645.0, "pinhole_airy_units": 1.0, "pixel_size_nm": 40.0,
            "camera": CAMERA}  # fmt: skip
NUCLEI = {"puncta_per_um2": 8.0, "punctum_diameter_nm": 40.0, "brightness_spread": 0.6,
          "haze": 0.1, "scans": 3, "fluctuation": 0.4, "decay": 0.1}  # fmt: skip


def acquire(number=0, modalities=None, drift_nm=60.0, field_px=128, seed=7, **nuclei):
    modalities = modalities or {"input": MODALITY, "target": MODALITY}
    simulator = {"seed": seed, "field_px": field_px, "drift_nm": drift_nm}
    return acquire_scans({**simulator, "nuclei": {**NUCLEI, **nuclei}}, modalities, number)


def light(image):
    return np.sum(image - BACKGROUND)


def correlation(a, b):
    return np.corrcoef(a.ravel(), b.ravel())[0, 1]


def test_the_target_is_scanned_as_often_as_asked():
    images, puncta, drifts_nm = acquire(scans=4)
    assert list(images) == ["input", "target", "scan2", "scan3", "scan4"]
    assert drifts_nm.shape == (4, 2)
    assert {"target", "scan2", "scan3", "scan4"} < set(puncta.columns)


@pytest.mark.parametrize("number", [0, 1])
def test_every_scan_is_moved_by_its_own_drift(number):
    images, _, drifts_nm = acquire(number, fluctuation=0.0)
    for name, drift_nm in zip(("target", "scan2", "scan3"), drifts_nm, strict=True):
        # a shift is what brings the second image back onto the first
        back_px = np.array(estimate_shift(images["input"], images[name]))
        np.testing.assert_allclose(-back_px * 40.0, drift_nm, atol=3.0)


def test_the_haze_drifts_with_the_puncta():
    nearly_all = {"haze": 0.97, "puncta_per_um2": 2.0, "fluctuation": 0.0, "scans": 1}
    images, _, drifts_nm = acquire(drift_nm=300.0, field_px=400, **nearly_all)
    back_px = np.array(estimate_shift(images["input"], images["target"]))
    assert np.hypot(*drifts_nm[0]) > 100
    np.testing.assert_allclose(-back_px * 40.0, drifts_nm[0], atol=15.0)


def test_each_step_of_the_drift_is_as_long_as_asked():
    nothing = {"puncta_per_um2": 0.001, "haze": 0.0}
    drifts = np.array([acquire(n, drift_nm=10.0, field_px=32, **nothing)[2] for n in range(30)])
    steps = np.diff(np.concatenate([np.zeros((30, 1, 2)), drifts], axis=1), axis=1)
    # the sum of 60 squares spreads by 18 %, its root by half of that
    for scan in range(3):
        length_nm = np.sqrt((steps[:, scan] ** 2).sum(axis=1).mean())
        assert length_nm == pytest.approx(10.0, rel=0.3)
    assert correlation(steps[:, 0], steps[:, 1]) == pytest.approx(0.0, abs=0.4)


def test_scans_agree_less_than_noise_alone_would_make_them():
    scans = ("target", "scan2", "scan3")
    steady, moving = (acquire(fluctuation=f, drift_nm=0.0)[0] for f in (0.0, 0.4))
    for one, other in zip(scans, (*scans[1:], scans[0]), strict=True):
        assert correlation(steady[one], steady[other]) > 0.98
        assert correlation(moving[one], moving[other]) < 0.96


def test_a_punctum_fluctuates_by_the_spread_asked_and_on_its_own():
    puncta = acquire(puncta_per_um2=20.0, decay=0.0)[1]
    factors = [np.log(puncta[name] / puncta.brightness) for name in ("target", "scan2", "scan3")]
    for factor in factors:
        assert factor.std() == pytest.approx(0.4, abs=0.03)
        assert np.exp(factor).mean() == pytest.approx(1.0, abs=0.05)
    assert correlation(factors[0].to_numpy(), factors[1].to_numpy()) == pytest.approx(0, abs=0.08)


def test_every_scan_bleaches_the_part_asked():
    images = acquire(decay=0.2, fluctuation=0.0, drift_nm=0.0)[0]
    first = light(images["target"])
    assert light(images["scan2"]) / first == pytest.approx(0.8, rel=0.01)
    assert light(images["scan3"]) / first == pytest.approx(0.64, rel=0.01)


def test_the_input_is_scanned_before_anything_bleaches():
    images = acquire(decay=0.2, fluctuation=0.0, drift_nm=0.0)[0]
    assert light(images["input"]) == pytest.approx(light(images["target"]), rel=0.01)


def test_haze_is_the_part_of_the_light_asked():
    # haze goes by the mean density of puncta, to which the fields come together
    lights = {
        haze: sum(light(acquire(n, haze=haze, scans=1, field_px=100)[0]["input"]) for n in range(8))
        for haze in (0.0, 0.3)
    }
    assert 1 - lights[0.0] / lights[0.3] == pytest.approx(0.3, abs=0.03)


def test_an_isolated_punctum_is_as_wide_as_the_papers_psf():
    modalities = yaml.safe_load(EXPERIMENT.read_text())["modalities"]
    for modality in modalities.values():
        modality["camera"] = CAMERA
    images, puncta, _ = acquire(
        modalities=modalities, drift_nm=0.0, field_px=400, puncta_per_um2=0.15,
        brightness_spread=0.0, haze=0.0, fluctuation=0.0,
    )  # fmt: skip
    places = puncta[["y_nm", "x_nm"]].to_numpy()
    apart = [np.sort(np.hypot(*(places - place).T))[1] > 1200 for place in places]
    inside = ((places > 600) & (places < 400 * 30 - 600)).all(axis=1)
    places = np.round(places[inside & apart] / 30 - 0.5).astype(int)
    assert len(places) >= 3
    # Wang 2019, Fig. 4
    for name, fwhm_nm in (("input", 290.0), ("target", 120.0)):
        fits = fit_spots(images[name].astype(float), places, 30.0, crop_px=19)
        assert fits.fwhm_nm.median() == pytest.approx(fwhm_nm, rel=0.05)


def test_puncta_outside_the_field_shine_into_it():
    # the nucleus in the middle is larger than the field
    columns = [
        acquire(n, haze=0.0, brightness_spread=0.0, field_px=100, scans=1)[0]["input"] - BACKGROUND
        for n in range(12)
    ]
    mean = np.mean(columns, axis=0)
    rim = np.mean([mean[:2].mean(), mean[-2:].mean(), mean[:, :2].mean(), mean[:, -2:].mean()])
    inner = np.mean([mean[8:12].mean(), mean[-12:-8].mean(), mean[:, 8:12].mean()])
    assert rim == pytest.approx(inner, rel=0.15)


def test_the_same_seed_and_number_give_the_same_scans():
    first, again = acquire(3), acquire(3)
    for name, image in first[0].items():
        np.testing.assert_array_equal(image, again[0][name])
    assert first[1].equals(again[1])


@pytest.mark.parametrize(("number", "seed"), [(4, 7), (3, 8)])
def test_another_number_or_seed_gives_another_field(number, seed):
    assert len(acquire(3)[1]) != len(acquire(number, seed=seed)[1])


def test_scans_cover_the_same_field_at_the_pixel_size_of_their_optics():
    target = {**MODALITY, "pixel_size_nm": 20.0}
    images = acquire(modalities={"input": MODALITY, "target": target}, field_px=100)[0]
    assert images["input"].shape == (50, 50)
    assert images["target"].shape == images["scan3"].shape == (100, 100)
