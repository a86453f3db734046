import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.signal import convolve

from crossres.deconvolution.baseline import iterate_baseline

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


@pytest.fixture
def psf_3d():
    """Longer in z than the volumes below have slices."""
    point = np.zeros((13, 15, 15))
    point[6, 7, 7] = 1.0
    psf = gaussian_filter(point, 2.0, mode="constant")
    return psf / psf.sum()


@METHODS
@pytest.mark.parametrize("slices", [1, 2, 7, 20])
def test_an_even_volume_gets_no_frame_however_thin_it_is(method, parameter, psf_3d, slices):
    volume = np.full((slices, 15, 16), 100, np.uint16)
    *_, found = iterate_baseline(method, volume, psf_3d, 100, parameter, "none")
    assert found.shape == volume.shape
    # against zeros outside, the frame would be ten times as bright and more
    np.testing.assert_allclose(found, 100.0, rtol=0.25)


@METHODS
def test_a_blurred_point_of_a_volume_is_sharpened_along_every_axis(method, parameter, psf_3d):
    middle = (10, 11, 12)
    points = np.zeros((20, 23, 24))
    points[middle] = 1000.0
    blurred = convolve(points, psf_3d, mode="same")
    *_, found = iterate_baseline(method, blurred, psf_3d, 30, parameter, "none")
    for axis, place in enumerate(middle):
        others = [other for other in range(3) if other != axis]
        squared = (np.arange(points.shape[axis]) - place) ** 2
        widths = [(v.sum(axis=tuple(others)) @ squared) / v.sum() for v in (found, blurred)]
        assert widths[0] < 0.7 * widths[1]


@METHODS
def test_a_volume_of_one_slice_is_an_image(method, parameter, scene, psf):
    *_, image = iterate_baseline(method, scene, psf, 5, parameter, "none")
    *_, volume = iterate_baseline(method, scene[None], psf[None], 5, parameter, "none")
    np.testing.assert_allclose(volume[0], image, rtol=1e-4, atol=1e-4 * image.max())
