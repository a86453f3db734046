import numpy as np
import pytest

from crossres.optics import detect, expected_counts
from crossres.settings import Camera

CAMERA = Camera(
    peak_photons=1.0, background_photons=5.0, gain=2.0, offset=100.0, read_noise=3.0, bit_depth=16
)


def camera(**changes):
    return CAMERA.model_copy(update=changes)


@pytest.mark.parametrize("photons", [0.0, 12.0, 400.0])
@pytest.mark.parametrize("gain", [0.7, 2.0])
def test_mean_and_variance_are_those_of_poisson_and_read_noise(rng, photons, gain):
    counts = detect(np.full((300, 400), photons), camera(gain=gain), rng).astype(float)
    arrived = photons + 5.0
    # rounding to whole counts adds a twelfth
    variance = gain**2 * arrived + 3.0**2 + 1 / 12
    assert counts.mean() == pytest.approx(gain * arrived + 100, abs=5 * np.sqrt(variance / 12e4))
    assert counts.var() == pytest.approx(variance, rel=0.03)


def test_without_read_noise_and_gain_the_counts_are_poisson(rng):
    bare = camera(background_photons=0.0, gain=1.0, offset=0.0, read_noise=0.0, bit_depth=8)
    counts = detect(np.full((300, 400), 2.0), bare, rng)
    found = np.bincount(counts.ravel(), minlength=6)[:6] / counts.size
    expected = np.exp(-2.0) * np.array([1, 2, 2, 4 / 3, 2 / 3, 4 / 15])
    np.testing.assert_allclose(found, expected, atol=0.006)


@pytest.mark.parametrize(
    ("bit_depth", "dtype"),
    [(1, np.uint8), (8, np.uint8), (9, np.uint16), (12, np.uint16), (16, np.uint16)],
)
def test_counts_end_at_the_top_of_the_bit_depth(rng, bit_depth, dtype):
    counts = detect(np.full((5, 7), 1e5), camera(bit_depth=bit_depth), rng)
    assert counts.dtype == dtype
    assert counts.shape == (5, 7)
    assert (counts == 2**bit_depth - 1).all()


def test_counts_end_at_zero(rng):
    counts = detect(np.zeros((5, 7)), camera(offset=-500.0), rng)
    assert (counts == 0).all()


def test_the_same_seed_gives_the_same_counts():
    photons = np.linspace(0, 50, 35).reshape(5, 7)
    first, again, other = (detect(photons, CAMERA, np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_expected_counts_are_the_mean_of_many(rng):
    photons = np.linspace(0, 300, 6)
    mean = detect(np.tile(photons, (40_000, 1)), CAMERA, rng).mean(axis=0)
    found = expected_counts(photons, CAMERA)
    assert found.dtype == np.float32
    # a standard error of 0.17 at most
    np.testing.assert_allclose(mean, found, atol=0.8)
