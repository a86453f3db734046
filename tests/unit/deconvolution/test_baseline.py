import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from crossres.deconvolution.baseline import correlation, iterate_baseline, search_grid

METHODS = pytest.mark.parametrize(
    ("method", "parameter"), [("richardson_lucy", 0.0), ("nnls", 0.5)]
)


@pytest.fixture
def psf():
    point = np.zeros((15, 15))
    point[7, 7] = 1.0
    return gaussian_filter(point, 2.0)


@pytest.fixture
def scene(rng):
    """Points, blurred, with a dark corner as large as the background's region."""
    points = np.zeros((70, 81))
    points[rng.integers(36, 70, 40), rng.integers(36, 81, 40)] = 500.0
    return gaussian_filter(points, 2.0)


@METHODS
def test_an_estimate_of_the_images_shape_after_every_iteration(method, parameter, scene, psf):
    estimates = list(iterate_baseline(method, scene, psf, 4, parameter, "none"))
    assert len(estimates) == 4
    for estimate in estimates:
        assert estimate.shape == scene.shape
        assert estimate.dtype == np.float32
        assert estimate.min() >= 0


@METHODS
def test_a_constant_haze_is_taken_off_first(method, parameter, scene, psf):
    *_, clear = iterate_baseline(method, scene, psf, 10, parameter, "none")
    *_, hazy = iterate_baseline(method, scene + 300.0, psf, 10, parameter, "find")
    np.testing.assert_allclose(hazy, clear, atol=2e-3 * clear.max())


@METHODS
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_an_even_image_gets_no_frame(method, parameter, psf, dtype):
    *_, found = iterate_baseline(method, np.full((40, 45), 100, dtype), psf, 100, parameter, "none")
    # against zeros outside, the frame would be 2.5 to 10 times as bright
    np.testing.assert_allclose(found, 100.0, rtol=0.15)


@METHODS
def test_blurred_points_are_sharpened(method, parameter, scene, psf):
    *_, found = iterate_baseline(method, scene, psf, 30, parameter, "none")
    assert found.max() > 1.5 * scene.max()


def test_grid_of_lucy_richardson_has_its_dampings():
    settings = {"max_iterations": 60, "damping": [0, 0.01]}
    assert search_grid("richardson_lucy", settings) == (60, [0.0, 0.01])


def test_grid_of_nnls_has_its_step():
    assert search_grid("nnls", {"max_iterations": 30, "step": 0.5}) == (30, [0.5])


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64])
def test_correlation_is_pearsons(rng, dtype):
    a, b = (rng.random((2, 17, 20)) * 1000).astype(dtype)
    expected = np.corrcoef(a.ravel(), b.ravel())[0, 1]
    assert correlation(a, b) == pytest.approx(expected)


@pytest.mark.parametrize("which", [0, 1])
def test_a_constant_image_correlates_with_nothing(rng, which):
    pair = [rng.random((5, 5)), rng.random((5, 5))]
    pair[which] = np.full((5, 5), 3.0)
    assert correlation(*pair) == 0.0
