import numpy as np
import pytest
from skimage.registration import phase_cross_correlation

from crossres.simulate import acquire_pair
from crossres.simulate.acquisition import bead_blur_fwhm_nm

CAMERA = {"peak_photons": 2000.0, "background_photons": 10.0, "gain": 1.0, "offset": 10.0,
          "read_noise": 2.0, "bit_depth": 16}  # fmt: skip
MODALITY = {"kind": "confocal", "na": 1.4, "refractive_index": 1.515, "excitation_nm": 633.0,
            "wavelength_nm": 645.0, "pinhole_airy_units": 1.0, "pixel_size_nm": 40.0,
            "camera": CAMERA}  # fmt: skip
SIMULATOR = {"seed": 7, "field_px": 128, "density_per_um2": 2.0, "bead_diameter_nm": 20.0,
             "pair_fraction": 0.0, "pair_distance_nm": [130, 290], "brightness_spread": 0.3,
             "drift_nm": 80.0}  # fmt: skip


def acquire(number=0, target=None, **settings):
    modalities = {"input": MODALITY, "target": {**MODALITY, **(target or {})}}
    return acquire_pair({**SIMULATOR, **settings}, modalities, number)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_target_is_moved_by_the_drift(number):
    images, _, drift_nm = acquire(number)
    # scikit-image gives what brings the second image back onto the first
    back_px, *_ = phase_cross_correlation(
        images["input"], images["target"], upsample_factor=50, normalization=None
    )
    np.testing.assert_allclose(-back_px * 40.0, drift_nm, atol=4.0)


def test_beads_lie_where_the_truth_says_in_the_inputs_frame():
    images, beads, _ = acquire(density_per_um2=0.3, brightness_spread=0.0)
    light = images["input"] - 20.0
    within = beads[beads[["y_nm", "x_nm"]].ge(600).all(axis=1)
                   & beads[["y_nm", "x_nm"]].le(4500).all(axis=1)]  # fmt: skip
    apart = within[[
        np.sort(np.hypot(beads.y_nm - y, beads.x_nm - x))[1] > 1000
        for y, x in within[["y_nm", "x_nm"]].to_numpy()
    ]]  # fmt: skip
    assert len(apart) > 0
    offset = np.arange(-8, 9)
    for y_nm, x_nm in apart[["y_nm", "x_nm"]].to_numpy():
        row, column = int(y_nm // 40), int(x_nm // 40)
        crop = light[row - 8 : row + 9, column - 8 : column + 9]
        centroid = [(crop.sum(axis=1 - axis) @ offset) / crop.sum() for axis in (0, 1)]
        found_nm = (np.array([row, column]) + 0.5 + centroid) * 40
        np.testing.assert_allclose(found_nm, (y_nm, x_nm), atol=6.0)


def test_root_mean_square_drift_is_as_asked():
    drifts = np.array([
        acquire(number, field_px=32, density_per_um2=0.01, drift_nm=10.0)[2]
        for number in range(40)
    ])  # fmt: skip
    # the sum of 80 squares spreads by 16 %, its root by half of that
    assert np.sqrt((drifts**2).sum(axis=1).mean()) == pytest.approx(10.0, rel=0.25)


def test_the_same_seed_and_number_give_the_same_pair():
    first, again = acquire(3)[0], acquire(3)[0]
    for role in ("input", "target"):
        np.testing.assert_array_equal(first[role], again[role])


@pytest.mark.parametrize(("number", "seed"), [(4, 7), (3, 8)])
def test_another_number_or_seed_gives_another_field(number, seed):
    beads = acquire(3)[1]
    others = acquire(number, seed=seed)[1]
    assert len(others) != len(beads) or not np.allclose(others.y_nm, beads.y_nm)


def test_both_scans_cover_the_same_field_at_their_own_pixel_size():
    images, _, _ = acquire(target={"pixel_size_nm": 20.0}, field_px=100)
    assert images["target"].shape == (100, 100)
    assert images["input"].shape == (50, 50)


@pytest.mark.parametrize("diameter_nm", [20.0, 100.0])
def test_bead_blur_has_the_variance_of_a_solid_sphere(rng, diameter_nm):
    points = rng.uniform(-1, 1, (400_000, 3))
    inside = points[(points**2).sum(axis=1) <= 1] * diameter_nm / 2
    expected = 2.35482 * inside[:, 0].std()
    assert bead_blur_fwhm_nm(diameter_nm) == pytest.approx(expected, rel=0.005)
