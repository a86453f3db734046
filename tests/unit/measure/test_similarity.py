import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage import metrics

from crossres.measure import MeasuredImage, compare, measure_field


@pytest.fixture
def pair(rng):
    target = gaussian_filter(rng.random((48, 61)), 1.5) * 1000 + 100
    image = 0.3 * gaussian_filter(target, 1.0) + 5 * rng.normal(size=target.shape) + 40
    return image, target


def normalised(image, target):
    """Both on the range of the target, the image by a line of least squares."""
    low, high = np.percentile(target, [0.1, 99.9])
    y = (target - low) / (high - low)
    slope, offset = np.polyfit(image.ravel(), y.ravel(), 1)
    return slope * image + offset, y


def test_values_are_those_of_scikit_image(pair):
    x, y = normalised(*pair)
    found = compare(*pair)
    assert found["mse"] == pytest.approx(metrics.mean_squared_error(y, x))
    assert found["psnr_db"] == pytest.approx(metrics.peak_signal_noise_ratio(y, x, data_range=1.0))
    # scikit-image divides by the root mean square of the first
    assert found["nrmse"] == pytest.approx(
        metrics.normalized_root_mse(y, x, normalization="euclidean")
    )
    assert found["ssim"] == pytest.approx(
        metrics.structural_similarity(
            x, y, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
    )
    assert found["pearson_r"] == pytest.approx(np.corrcoef(x.ravel(), y.ravel())[0, 1])


def test_mean_square_error_is_what_the_correlation_leaves_of_the_variance(pair):
    image, target = pair
    low, high = np.percentile(target, [0.1, 99.9])
    r = np.corrcoef(image.ravel(), target.ravel())[0, 1]
    expected = target.var() / (high - low) ** 2 * (1 - r**2)
    found = compare(image, target)
    assert found["mse"] == pytest.approx(expected)
    assert found["psnr_db"] == pytest.approx(-10 * np.log10(expected))


@pytest.mark.parametrize(("gain", "offset"), [(1e-3, 0.0), (1.0, 5e4), (77.0, -900.0)])
def test_gain_and_offset_of_the_image_do_not_matter(pair, gain, offset):
    image, target = pair
    assert compare(gain * image + offset, target) == pytest.approx(compare(*pair), rel=1e-6)


@pytest.mark.parametrize(("gain", "offset"), [(1e-3, 0.0), (1.0, 5e4), (77.0, -900.0)])
def test_gain_and_offset_of_the_target_do_not_matter(pair, gain, offset):
    image, target = pair
    assert compare(image, gain * target + offset) == pytest.approx(compare(*pair), rel=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(32, 32), (33, 40)])
def test_an_image_is_perfect_beside_itself(rng, dtype, shape):
    image = (rng.random(shape) * 200).astype(dtype)
    found = compare(image, image)
    assert found["ssim"] == pytest.approx(1.0)
    assert found["pearson_r"] == pytest.approx(1.0)
    assert found["nrmse"] == pytest.approx(0.0, abs=1e-6)
    assert found["psnr_db"] > 100


def test_dtype_does_not_matter(rng):
    image, target = rng.integers(0, 255, (2, 30, 31))
    expected = compare(image.astype(float), target.astype(float))
    for dtype in (np.uint8, np.uint16, np.float32):
        assert compare(image.astype(dtype), target.astype(dtype)) == pytest.approx(expected)


def test_more_noise_is_worse_in_every_metric(pair, rng):
    _, target = pair
    noise = rng.normal(size=target.shape)
    little, much = compare(target + 5 * noise, target), compare(target + 50 * noise, target)
    for name in ("psnr_db", "ssim", "pearson_r"):
        assert little[name] > much[name]
    for name in ("mse", "nrmse"):
        assert little[name] < much[name]


def test_unrelated_noise_leaves_the_targets_own_spread(rng):
    target, image = rng.normal(size=(2, 200, 200))
    # the best line through nothing is the mean: 0.1 and 99.9 % of a normal lie 6.18 sigmas apart
    assert compare(image, target)["mse"] == pytest.approx(1 / 6.18**2, rel=0.03)


@pytest.mark.parametrize("which", [0, 1])
def test_a_constant_image_has_no_values(rng, which):
    pair = [rng.random((20, 20)), rng.random((20, 20))]
    pair[which] = np.full((20, 20), 7.0)
    assert all(np.isnan(value) for value in compare(*pair).values())


def test_volumes_are_compared_as_scikit_image_does(rng):
    target = gaussian_filter(rng.random((14, 20, 23)), 1.0)
    image = target + 0.1 * rng.normal(size=target.shape)
    x, y = normalised(image, target)
    expected = metrics.structural_similarity(
        x, y, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert compare(image, target)["ssim"] == pytest.approx(expected)


def test_volumes_thinner_than_the_window_are_compared_slice_by_slice(rng):
    target = gaussian_filter(rng.random((5, 20, 23)), 1.0)
    image = target + 0.1 * rng.normal(size=target.shape)
    x, y = normalised(image, target)
    slices = [
        metrics.structural_similarity(
            a, b, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        for a, b in zip(x, y, strict=True)
    ]
    assert compare(image, target)["ssim"] == pytest.approx(np.mean(slices))


def measured(method, image, target, truth=None):
    seen = MeasuredImage(method, image, target, 30.0, truth=truth)
    table, _ = measure_field(seen)
    return table.set_index("metric").value


@pytest.fixture
def noisy(rng):
    truth = gaussian_filter(rng.random((60, 61)), 2.0) * 900
    return truth, rng.poisson(truth).astype(np.float32)


def test_the_truth_shows_how_close_to_a_noisy_target_anything_can_come(noisy):
    truth, target = noisy
    ceiling = measured("truth", truth, target, truth)
    assert set(ceiling.index) == {"mse", "psnr_db", "nrmse", "ssim", "pearson_r"}
    assert ceiling.ssim == pytest.approx(compare(truth, target)["ssim"])
    assert ceiling.ssim < 0.95


def test_a_perfect_restoration_equals_the_truth_and_only_nears_the_target(noisy):
    truth, target = noisy
    found = measured("gan", 3 * truth + 7, target, truth)
    assert found.ssim_truth == pytest.approx(1.0)
    assert found.pearson_r_truth == pytest.approx(1.0)
    assert found.ssim == pytest.approx(compare(truth, target)["ssim"])


def test_the_target_is_compared_with_the_truth_and_not_with_itself(noisy):
    truth, target = noisy
    found = measured("target", target, target, truth)
    of_closeness = {name for name in found.index if not name.startswith("background")}
    assert of_closeness == {f"{name}_truth" for name in compare(truth, target)}
    assert found.psnr_db_truth == pytest.approx(compare(target, truth)["psnr_db"])


@pytest.mark.parametrize("method", ["input", "gan"])
def test_without_a_known_truth_only_the_target_counts(noisy, method):
    truth, target = noisy
    assert not measured(method, truth, target).index.str.endswith("_truth").any()
