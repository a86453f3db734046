import numpy as np
import pytest

from crossres.measure import signal_to_noise
from crossres.measure.contrast import object_free_mask


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_by_hand(dtype):
    # Huang 2023, eq. 13: background 4 and 6 alike, so b = 5 and sigma = 1; peaks of 17 on average
    image = np.array([[4, 6, 4, 6], [6, 4, 6, 4], [99, 99, 99, 99]], dtype)
    mask = np.array([[True] * 4, [True] * 4, [False] * 4])
    assert signal_to_noise(image, np.array([14.0, 20.0]), mask) == pytest.approx(12.0)


@pytest.mark.parametrize("snr", [4.0, 14.0])
def test_peaks_of_a_known_height_over_normal_noise(rng, snr):
    image = rng.normal(50.0, 3.0, (200, 200))
    mask = np.ones(image.shape, bool)
    found = signal_to_noise(image, np.full(10, 50.0 + 3.0 * snr), mask)
    assert found == pytest.approx(snr, rel=0.02)


@pytest.mark.parametrize(("gain", "offset"), [(10.0, 0.0), (0.5, 300.0)])
def test_gain_and_offset_do_not_matter(rng, gain, offset):
    image, peaks = rng.normal(50.0, 3.0, (50, 60)), np.array([80.0, 90.0])
    mask = rng.random(image.shape) < 0.8
    expected = (85 - image[mask].mean()) / image[mask].std()
    found = signal_to_noise(gain * image + offset, gain * peaks + offset, mask)
    assert found == pytest.approx(expected)


def test_spots_that_were_not_fitted_are_left_out():
    image, mask = np.array([[4.0, 6.0]]), np.ones((1, 2), bool)
    assert signal_to_noise(image, np.array([np.nan, 15.0, np.nan]), mask) == pytest.approx(10.0)


@pytest.mark.parametrize("peaks", [[], [np.nan, np.nan]])
def test_no_peaks_no_value(peaks):
    assert np.isnan(signal_to_noise(np.eye(4), np.array(peaks), np.ones((4, 4), bool)))


def test_no_background_no_value():
    assert np.isnan(signal_to_noise(np.eye(4), np.array([3.0]), np.zeros((4, 4), bool)))


def test_a_background_without_noise_is_infinitely_quiet():
    assert signal_to_noise(np.zeros((4, 4)), np.array([3.0]), np.ones((4, 4), bool)) == np.inf


@pytest.mark.parametrize("clearance_px", [0.0, 1.0, 3.5, 40.0])
@pytest.mark.parametrize("shape", [(20, 20), (17, 26)])
def test_discs_are_cut_out_around_every_object(rng, shape, clearance_px):
    positions = np.column_stack([rng.integers(0, n, 5) for n in shape])
    positions[0] = (0, shape[1] - 1)
    y, x = np.mgrid[: shape[0], : shape[1]]
    nearest = np.min([np.hypot(y - v, x - u) for v, u in positions], axis=0)
    found = object_free_mask(shape, positions, clearance_px)
    np.testing.assert_array_equal(found, nearest > clearance_px)


def test_without_objects_everything_is_background():
    assert object_free_mask((5, 6), np.empty((0, 2)), 3.0).all()


def test_in_volumes_a_step_along_z_has_its_own_length(rng):
    shape, steps = (9, 20, 21), (3.0, 1.0, 1.0)
    positions = np.column_stack([rng.integers(0, n, 4) for n in shape])
    z, y, x = np.indices(shape)
    nearest = np.min(
        [np.sqrt((3 * (z - w)) ** 2 + (y - v) ** 2 + (x - u) ** 2) for w, v, u in positions], axis=0
    )
    found = object_free_mask(shape, positions, 5.5, steps)
    np.testing.assert_array_equal(found, nearest > 5.5)
