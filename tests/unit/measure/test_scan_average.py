import numpy as np
import pytest
from scipy.ndimage import fourier_shift, gaussian_filter

from crossres.measure import MeasuredImage
from crossres.measure.scans import average_scans, similarity_to_average

DRIFTS = [(1.3, -0.6), (-0.8, 2.2)]


@pytest.fixture
def truth(rng):
    image = np.zeros((96, 80))
    image[tuple(rng.integers(8, 72, (2, 60)))] = 200
    return gaussian_filter(image, 2.0)


def scanned(truth, drift, rng, noise=1.0):
    """The truth, moved by a drift in Fourier space, with noise of its own."""
    moved = np.fft.ifft2(fourier_shift(np.fft.fft2(truth), drift)).real
    return moved + rng.normal(0, noise, truth.shape)


def test_scans_are_moved_onto_the_first(truth, rng):
    first = scanned(truth, (0, 0), rng, 0.02)
    average = average_scans(first, [scanned(truth, drift, rng, 0.02) for drift in DRIFTS])
    np.testing.assert_allclose(average[5:-5, 5:-5], truth[5:-5, 5:-5], atol=0.15)


def test_noise_of_three_scans_averages_out(truth, rng):
    first = scanned(truth, (0, 0), rng)
    average = average_scans(first, [scanned(truth, (0, 0), rng) for _ in range(2)])
    left = np.std((average - truth)[5:-5, 5:-5])
    # one over the square root of three, were nothing interpolated; that takes some noise away too
    assert 0.4 < left < 1 / np.sqrt(3) + 0.03


def test_every_method_is_correlated_with_the_average(truth, rng):
    first, *others = (scanned(truth, (0, 0), rng, 0.5) for _ in range(3))

    def correlation(image):
        seen = MeasuredImage("gan", image, first, 30.0, scans=tuple(others))
        (value,) = similarity_to_average(seen)
        assert value.metric == "pearson_r_scan_mean"
        return value.value

    perfect = correlation(truth)
    assert perfect == pytest.approx(-correlation(3 - 2 * truth))
    assert perfect > np.corrcoef(truth.ravel(), first.ravel())[0, 1]
    assert correlation(rng.normal(size=truth.shape)) == pytest.approx(0, abs=0.05)


def test_one_scan_alone_has_no_average(truth):
    assert list(similarity_to_average(MeasuredImage("gan", truth, truth, 30.0))) == []
