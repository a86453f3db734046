import numpy as np
import pytest
from skimage import restoration as skimage_restoration

from crossres.deconvolution.richardson_lucy import iterate_richardson_lucy
from crossres.restoration import richardson_lucy


def gaussian_psf(*shape, sigma=1.5):
    axes = np.meshgrid(*(np.arange(n) - n // 2 for n in shape), indexing="ij")
    psf = np.exp(-sum(a**2 for a in axes) / (2 * sigma**2))
    return psf / psf.sum()


def skewed_psf(*shape):
    psf = gaussian_psf(*shape) * np.linspace(0.5, 2, shape[-1])
    return psf / psf.sum()


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-12)])
@pytest.mark.parametrize("iterations", [1, 10])
@pytest.mark.parametrize(
    ("shape", "psf_shape"), [((32, 32), (7, 7)), ((25, 38), (9, 5)), ((7, 12, 11), (3, 5, 5))]
)
def test_the_same_as_scikit_image(rng, shape, psf_shape, iterations, dtype, tolerance):
    image = (rng.random(shape) + 0.05).astype(dtype)
    psf = skewed_psf(*psf_shape).astype(dtype)
    expected = skimage_restoration.richardson_lucy(image, psf, iterations, clip=False)
    found = richardson_lucy(image, psf, iterations)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, atol=tolerance * expected.max())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_counts_are_worked_on_as_float32(rng, dtype):
    image = rng.integers(1, 255, (20, 21)).astype(dtype)
    found = richardson_lucy(image, gaussian_psf(5, 5), 3)
    expected = skimage_restoration.richardson_lucy(
        image.astype(np.float32), gaussian_psf(5, 5).astype(np.float32), 3, clip=False
    )
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize("iterations", [1, 7])
def test_a_psf_of_one_pixel_gives_the_image_back(rng, iterations):
    image, psf = rng.random((16, 19)), np.zeros((3, 3))
    psf[1, 1] = 1.0
    np.testing.assert_allclose(richardson_lucy(image, psf, iterations), image, atol=1e-12)


@pytest.mark.parametrize("iterations", [1, 20])
def test_light_far_from_the_border_is_conserved(iterations):
    image = np.pad(gaussian_psf(21, 21, sigma=3) * 1e4, 20)
    found = richardson_lucy(image, gaussian_psf(9, 9), iterations)
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1e4, rel=1e-6)


def test_two_points_that_blur_together_are_told_apart():
    psf = gaussian_psf(21, 21, sigma=3.0)
    blurred = np.zeros((41, 41))
    for column in (17, 23):
        blurred[10:31, column - 10 : column + 11] += 1000 * psf
    # two Gaussians two sigmas apart show one maximum
    assert blurred[20, 20] > 0.99 * blurred[20, 17]
    found = richardson_lucy(blurred, psf, 300)
    assert found[20, 20] < 0.5 * found[20, 17:24].max()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_dark_image_stays_dark(dtype):
    found = richardson_lucy(np.zeros((12, 13), dtype), gaussian_psf(5, 5), 5)
    np.testing.assert_array_equal(found, np.zeros((12, 13)))


def test_every_estimate_that_was_yielded_stays_as_it_was(rng):
    image, psf = rng.random((15, 16)), gaussian_psf(5, 5)
    estimates = list(iterate_richardson_lucy(image, psf, 5))
    for number, estimate in enumerate(estimates, start=1):
        expected = skimage_restoration.richardson_lucy(image, psf, number, clip=False)
        np.testing.assert_allclose(estimate, expected, atol=1e-12)


def test_differences_below_the_damping_threshold_are_left_alone(rng):
    # from the start at 0.5, an image of 0.5 with a little noise; a threshold ten times as high
    image = 0.5 + 0.005 * rng.uniform(-1, 1, (30, 30))
    image[15, 15] = 0.5
    found = richardson_lucy(image, gaussian_psf(5, 5), 3, damping=0.1)
    sharpened = richardson_lucy(image, gaussian_psf(5, 5), 3)
    # beyond the reach of the dark outside
    inner = (slice(7, -7),) * 2
    np.testing.assert_allclose(found[inner], 0.5, atol=1e-6)
    assert sharpened[inner].std() > 1e-3


def test_differences_beyond_the_damping_threshold_are_corrected_in_full(rng):
    # the start at 0.5 is off by more than a tenth of the maximum everywhere
    image, psf = 20.0 + rng.random((20, 24)), gaussian_psf(5, 5)
    expected = skimage_restoration.richardson_lucy(image, psf, 1, clip=False)
    np.testing.assert_allclose(richardson_lucy(image, psf, 1, damping=0.1), expected, rtol=1e-9)


@pytest.mark.parametrize(("ratio", "factor"), [(0.5, 0.25**9 * (10 - 9 * 0.25)),
                                               (0.9, 0.81**9 * (10 - 9 * 0.81))])  # fmt: skip
def test_damping_is_whites_polynomial_in_between(ratio, factor):
    # a PSF of one pixel: x = 0.5 (1 + g (y / 0.5 - 1)), g = u^9 (10 - 9 u), u = (residual / T)^2
    image, psf = np.full((8, 8), 0.5), np.ones((1, 1))
    image[4, 4] = 0.6
    found = richardson_lucy(image, psf, 1, damping=0.1 / ratio / 0.6)
    assert found[4, 4] == pytest.approx(0.5 + factor * 0.1)
