import numpy as np
import pytest
from microscopes_with_cameras import CAMERA, CONFOCAL, changed

from crossres.measure import fit_spots
from crossres.registration import estimate_shift
from crossres.samples import SAMPLES
from crossres.settings import STED, Modalities, RepeatsAcquisition
from crossres.simulate import acquire

DIM = changed(CAMERA, peak_photons=500.0)
BACKGROUND = 20.0
INPUT = changed(CONFOCAL, camera=DIM)
# Wang 2019, as in config/experiments/confocal_sted_nuclei.yaml
PAPERS = Modalities(
    input=changed(INPUT, residual_blur_nm=202.0, pixel_size_nm=30.0),
    target=STED(
        kind="sted", na=1.4, refractive_index=1.515, excitation_nm=633.0, wavelength_nm=645.0,
        depletion_nm=775.0, saturation_factor=4.4, pinhole_airy_units=1.0, pixel_size_nm=30.0,
        camera=DIM,
    ),
)  # fmt: skip
SAMPLE = SAMPLES["nuclear_puncta"](kind="nuclear_puncta", puncta_per_um2=8.0, haze=0.1)
REPEATS = RepeatsAcquisition(
    kind="repeats", fields={"train": 1, "validation": 1, "test": 1}, field_px=128, drift_nm=60.0,
    scans=3, fluctuation=0.4, decay=0.1,
)  # fmt: skip


def acquire_nuclei(number=0, modalities=None, seed=7, **settings):
    """Acquire a field with ``settings`` of the nuclei or of the acquisition."""
    of_repeats = {k: v for k, v in settings.items() if k in RepeatsAcquisition.model_fields}
    of_sample = {k: v for k, v in settings.items() if k not in of_repeats}
    modalities = modalities or Modalities(input=INPUT, target=INPUT)
    return acquire(
        changed(SAMPLE, **of_sample), changed(REPEATS, **of_repeats), modalities, "H3K4me3",
        number, seed,
    )  # fmt: skip


def images_of(acquired):
    """Images by the name of the scan."""
    return {role: tiles[""] for role, tiles in acquired.images.items()} | dict(
        acquired.further_scans
    )


def images(number=0, **settings):
    return images_of(acquire_nuclei(number, **settings))


def light(image):
    return np.sum(image - BACKGROUND)


def correlation(a, b):
    return np.corrcoef(a.ravel(), b.ravel())[0, 1]


def test_the_target_is_scanned_as_often_as_asked():
    acquired = acquire_nuclei(scans=4)
    assert list(images_of(acquired)) == ["input", "target", "scan2", "scan3", "scan4"]
    assert acquired.drifts_nm.shape == (4, 2)
    assert {"target", "scan2", "scan3", "scan4"} < set(acquired.emitters.facts)


@pytest.mark.parametrize("number", [0, 1])
def test_every_scan_is_moved_by_its_own_drift(number):
    acquired = acquire_nuclei(number, fluctuation=0.0)
    scans = images_of(acquired)
    for name, drift_nm in zip(("target", "scan2", "scan3"), acquired.drifts_nm, strict=True):
        # a shift is what brings the second image back onto the first
        back_px = np.array(estimate_shift(scans["input"], scans[name]))
        np.testing.assert_allclose(-back_px * 40.0, drift_nm, atol=3.0)


def test_the_haze_drifts_with_the_puncta():
    nearly_all = {"haze": 0.97, "puncta_per_um2": 2.0, "fluctuation": 0.0, "scans": 1}
    acquired = acquire_nuclei(drift_nm=300.0, field_px=400, **nearly_all)
    scans = images_of(acquired)
    back_px = np.array(estimate_shift(scans["input"], scans["target"]))
    assert np.hypot(*acquired.drifts_nm[0]) > 100
    np.testing.assert_allclose(-back_px * 40.0, acquired.drifts_nm[0], atol=15.0)


def test_each_step_of_the_drift_is_as_long_as_asked():
    nothing = {"puncta_per_um2": 0.001, "haze": 0.0, "field_px": 32, "drift_nm": 10.0}
    drifts = np.array([acquire_nuclei(n, **nothing).drifts_nm for n in range(30)])
    steps = np.diff(np.concatenate([np.zeros((30, 1, 2)), drifts], axis=1), axis=1)
    # the sum of 60 squares spreads by 18 %, its root by half of that
    for scan in range(3):
        length_nm = np.sqrt((steps[:, scan] ** 2).sum(axis=1).mean())
        assert length_nm == pytest.approx(10.0, rel=0.3)
    assert correlation(steps[:, 0], steps[:, 1]) == pytest.approx(0.0, abs=0.4)


def test_scans_agree_less_than_noise_alone_would_make_them():
    scans = ("target", "scan2", "scan3")
    steady, moving = (images(fluctuation=f, drift_nm=0.0) for f in (0.0, 0.4))
    for one, other in zip(scans, (*scans[1:], scans[0]), strict=True):
        assert correlation(steady[one], steady[other]) > 0.98
        assert correlation(moving[one], moving[other]) < 0.96


def test_a_punctum_fluctuates_by_the_spread_asked_and_on_its_own():
    puncta = acquire_nuclei(puncta_per_um2=20.0, decay=0.0).emitters
    factors = [
        np.log(puncta.facts[name] / puncta.brightness) for name in ("target", "scan2", "scan3")
    ]
    for factor in factors:
        assert factor.std() == pytest.approx(0.4, abs=0.03)
        assert np.exp(factor).mean() == pytest.approx(1.0, abs=0.05)
    assert correlation(factors[0], factors[1]) == pytest.approx(0, abs=0.08)


def test_every_scan_bleaches_the_part_asked():
    scans = images(decay=0.2, fluctuation=0.0, drift_nm=0.0)
    first = light(scans["target"])
    assert light(scans["scan2"]) / first == pytest.approx(0.8, rel=0.01)
    assert light(scans["scan3"]) / first == pytest.approx(0.64, rel=0.01)


def test_the_input_is_scanned_before_anything_bleaches():
    scans = images(decay=0.2, fluctuation=0.0, drift_nm=0.0)
    assert light(scans["input"]) == pytest.approx(light(scans["target"]), rel=0.01)


def test_haze_is_the_part_of_the_light_asked():
    # haze goes by the mean density of puncta, to which the fields come together
    lights = {
        haze: sum(light(images(n, haze=haze, scans=1, field_px=100)["input"]) for n in range(8))
        for haze in (0.0, 0.3)
    }
    assert 1 - lights[0.0] / lights[0.3] == pytest.approx(0.3, abs=0.03)


def test_an_isolated_punctum_is_as_wide_as_the_papers_psf():
    acquired = acquire_nuclei(
        modalities=PAPERS, drift_nm=0.0, field_px=400, puncta_per_um2=0.15,
        brightness_spread=0.0, haze=0.0, fluctuation=0.0,
    )  # fmt: skip
    places = acquired.emitters.position_nm[:, 1:]
    apart = [np.sort(np.hypot(*(places - place).T))[1] > 1200 for place in places]
    inside = ((places > 600) & (places < 400 * 30 - 600)).all(axis=1)
    places = np.round(places[inside & apart] / 30 - 0.5).astype(int)
    assert len(places) >= 3
    # Wang 2019, Fig. 4
    for name, fwhm_nm in (("input", 290.0), ("target", 120.0)):
        fits = fit_spots(acquired.images[name][""].astype(float), places, 30.0, crop_px=19)
        assert fits.fwhm_nm.median() == pytest.approx(fwhm_nm, rel=0.05)


def test_puncta_outside_the_field_shine_into_it():
    # the nucleus in the middle is larger than the field
    columns = [
        images(n, haze=0.0, brightness_spread=0.0, field_px=100, scans=1)["input"] - BACKGROUND
        for n in range(12)
    ]
    mean = np.mean(columns, axis=0)
    rim = np.mean([mean[:2].mean(), mean[-2:].mean(), mean[:, :2].mean(), mean[:, -2:].mean()])
    inner = np.mean([mean[8:12].mean(), mean[-12:-8].mean(), mean[:, 8:12].mean()])
    assert rim == pytest.approx(inner, rel=0.15)


def test_the_same_seed_and_number_give_the_same_scans():
    first, again = acquire_nuclei(3), acquire_nuclei(3)
    for name, image in images_of(first).items():
        np.testing.assert_array_equal(image, images_of(again)[name])
    np.testing.assert_array_equal(first.emitters.position_nm, again.emitters.position_nm)


@pytest.mark.parametrize(("number", "seed"), [(4, 7), (3, 8)])
def test_another_number_or_seed_gives_another_field(number, seed):
    assert len(acquire_nuclei(3).emitters.brightness) != len(
        acquire_nuclei(number, seed=seed).emitters.brightness
    )


def test_scans_cover_the_same_field_at_the_pixel_size_of_their_optics():
    target = changed(INPUT, pixel_size_nm=20.0)
    scans = images(modalities=Modalities(input=INPUT, target=target), field_px=100)
    assert scans["input"].shape == (50, 50)
    assert scans["target"].shape == scans["scan3"].shape == (100, 100)


def test_the_noiseless_image_neither_fluctuates_nor_bleaches():
    acquired = acquire_nuclei(drift_nm=0.0, decay=0.3, fluctuation=0.6)
    # both microscopes are the same here: the input saw it before anything bleached
    variance = acquired.noiseless - 10.0 + 2.0**2 + 1 / 12
    deviation = (acquired.images["input"][""] - acquired.noiseless) / np.sqrt(variance)
    assert deviation.mean() == pytest.approx(0.0, abs=5 / 128)
    assert deviation.std() == pytest.approx(1.0, abs=0.03)
