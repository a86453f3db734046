import numpy as np
import pytest
from microscopes_with_cameras import CONFOCAL, changed
from skimage.registration import phase_cross_correlation

from crossres.optics.ball import ball_blur_fwhm_nm
from crossres.samples import SAMPLES
from crossres.settings import Modalities, PairAcquisition
from crossres.simulate import acquire

FIELDS = {"train": 1, "validation": 1, "test": 1}
BEADS = SAMPLES["beads"](kind="beads", density_per_um2=2.0, pair_fraction=0.0)
PAIR = PairAcquisition(kind="pair", fields=FIELDS, field_px=128, drift_nm=80.0)


def acquire_beads(number=0, target=CONFOCAL, seed=7, **settings):
    """Acquire a pair with ``settings`` of the beads or of the acquisition."""
    of_pair = {key: value for key, value in settings.items() if key in PairAcquisition.model_fields}
    of_beads = {key: value for key, value in settings.items() if key not in of_pair}
    modalities = Modalities(input=CONFOCAL, target=target)
    return acquire(
        changed(BEADS, **of_beads), changed(PAIR, **of_pair), modalities, "beads", number, seed
    )


def image_of(acquired, role):
    return acquired.images[role][""]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_target_is_moved_by_the_drift(number):
    acquired = acquire_beads(number)
    # scikit-image gives what brings the second image back onto the first
    back_px, *_ = phase_cross_correlation(
        image_of(acquired, "input"),
        image_of(acquired, "target"),
        upsample_factor=50,
        normalization=None,
    )
    np.testing.assert_allclose(-back_px * 40.0, acquired.drifts_nm[0], atol=4.0)


def test_beads_lie_where_the_truth_says_in_the_inputs_frame():
    acquired = acquire_beads(density_per_um2=0.3, brightness_spread=0.0)
    light = image_of(acquired, "input") - 20.0
    places = acquired.emitters.position_nm[:, 1:]
    within = ((places >= 600) & (places <= 4500)).all(axis=1)
    apart = [np.sort(np.hypot(*(places - place).T))[1] > 1000 for place in places]
    apart = places[within & apart]
    assert len(apart) > 0
    offset = np.arange(-8, 9)
    for y_nm, x_nm in apart:
        row, column = int(y_nm // 40), int(x_nm // 40)
        crop = light[row - 8 : row + 9, column - 8 : column + 9]
        centroid = [(crop.sum(axis=1 - axis) @ offset) / crop.sum() for axis in (0, 1)]
        found_nm = (np.array([row, column]) + 0.5 + centroid) * 40
        np.testing.assert_allclose(found_nm, (y_nm, x_nm), atol=6.0)


def test_root_mean_square_drift_is_as_asked():
    drifts = np.array([
        acquire_beads(number, field_px=32, density_per_um2=0.01, drift_nm=10.0).drifts_nm[0]
        for number in range(40)
    ])  # fmt: skip
    # the sum of 80 squares spreads by 16 %, its root by half of that
    assert np.sqrt((drifts**2).sum(axis=1).mean()) == pytest.approx(10.0, rel=0.25)


def test_the_same_seed_and_number_give_the_same_pair():
    first, again = acquire_beads(3), acquire_beads(3)
    for role in ("input", "target"):
        np.testing.assert_array_equal(image_of(first, role), image_of(again, role))


@pytest.mark.parametrize(("number", "seed"), [(4, 7), (3, 8)])
def test_another_number_or_seed_gives_another_field(number, seed):
    beads = acquire_beads(3).emitters.position_nm
    others = acquire_beads(number, seed=seed).emitters.position_nm
    assert len(others) != len(beads) or not np.allclose(others, beads)


def test_both_scans_cover_the_same_field_at_their_own_pixel_size():
    acquired = acquire_beads(target=changed(CONFOCAL, pixel_size_nm=20.0), field_px=100)
    assert image_of(acquired, "target").shape == acquired.noiseless.shape == (100, 100)
    assert image_of(acquired, "input").shape == (50, 50)
    assert acquired.noiseless_pixel_nm == 20.0


@pytest.mark.parametrize("diameter_nm", [20.0, 100.0])
def test_bead_blur_has_the_variance_of_a_solid_sphere(rng, diameter_nm):
    points = rng.uniform(-1, 1, (400_000, 3))
    inside = points[(points**2).sum(axis=1) <= 1] * diameter_nm / 2
    expected = 2.35482 * inside[:, 0].std()
    assert ball_blur_fwhm_nm(diameter_nm) == pytest.approx(expected, rel=0.005)


def test_the_noiseless_image_is_the_target_without_noise_and_drift():
    acquired = acquire_beads(drift_nm=0.0)
    counts = image_of(acquired, "target").astype(float)
    assert acquired.noiseless.dtype == np.float32
    # Poisson at a gain of 1 over an offset of 10, read noise of 2 and rounding
    variance = acquired.noiseless - 10.0 + 2.0**2 + 1 / 12
    deviation = (counts - acquired.noiseless) / np.sqrt(variance)
    assert deviation.mean() == pytest.approx(0.0, abs=5 / 128)
    assert deviation.std() == pytest.approx(1.0, abs=0.03)


def test_the_noiseless_image_is_in_the_inputs_frame():
    acquired = acquire_beads(drift_nm=200.0)
    assert np.hypot(*acquired.drifts_nm[0]) > 60
    still_px, *_ = phase_cross_correlation(
        image_of(acquired, "input"), acquired.noiseless, upsample_factor=50, normalization=None
    )
    np.testing.assert_allclose(still_px * 40.0, 0.0, atol=4.0)
