import numpy as np
import pytest
import torch
from deformed_pairs import constant, make_pair

from crossres.registration.filters import _oversample as oversample
from crossres.registration.filters import band_pass, bin_pixels, whiten
from crossres.registration.sampling import sample


def tensors(*images):
    return [torch.as_tensor(image, dtype=torch.float32) for image in images]


def correlation(a, b, border=16):
    inside = slice(border, -border)
    return np.corrcoef(np.ravel(a[inside, inside]), np.ravel(b[inside, inside]))[0, 1]


def on_the_references_grid(whitened):
    """The moving image at the centres of the reference's pixels."""
    y, x = torch.meshgrid(*(torch.arange(n) for n in whitened.reference.shape), indexing="ij")
    k = whitened.oversampling
    places = ((part[None] + 0.5) * k - 0.5 for part in (y, x))
    return sample(whitened.moving[None, None], *places)[0]


def test_whitened_images_of_different_blur_are_equally_sharp():
    blurred, sharp = tensors(
        *make_pair((256, 256), constant(0, 0), sigma_px=(2.8, 1.2), peak_photons=1e5)
    )
    whitened = whiten(blurred, sharp, sharp)
    assert correlation(blurred, sharp) < 0.9
    assert correlation(whitened.reference, on_the_references_grid(whitened)) > 0.96


@pytest.mark.parametrize("shape", [(256, 256), (203, 318)])
def test_one_image_keeps_its_grid_and_the_other_has_a_finer_one(shape):
    reference, moving = tensors(*make_pair(shape, constant(0, 0)))
    whitened = whiten(reference, moving, moving)
    k = whitened.oversampling
    assert whitened.reference.shape == shape
    assert whitened.moving.shape == (k * shape[0], k * shape[1])
    assert 0 < whitened.band < 1
    ratio = float(whitened.moving.std() / whitened.reference.std())
    assert ratio == pytest.approx(1, abs=0.1)


def test_brightness_does_not_matter():
    reference, moving = tensors(*make_pair((200, 200), constant(0, 0)))
    first = whiten(reference, moving, moving)
    second = whiten(reference, 20 * moving, 20 * moving)
    np.testing.assert_allclose(second.reference, first.reference, atol=1e-3)
    np.testing.assert_allclose(second.moving, first.moving, atol=1e-3)
    assert second.band == pytest.approx(first.band, rel=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_unrelated_noise_has_nothing_in_common(seed):
    first, second = tensors(*np.random.default_rng(seed).poisson(100, (2, 192, 192)))
    assert whiten(first - first.mean(), second - second.mean(), second - second.mean()) is None


def test_an_empty_image_has_nothing_in_common_with_any():
    image, empty = torch.rand(128, 128), torch.zeros(128, 128)
    assert whiten(image, empty, empty) is None
    assert whiten(empty, image, image) is None


@pytest.mark.parametrize("period", [3.2, 7.1, 30.0])
def test_the_fine_grid_lies_half_a_pixel_less_half_a_fine_pixel_off(period):
    def wave(y, x):
        return np.sin(2 * np.pi * y[:, None] / period + 0.3) * np.cos(2 * np.pi * x / period - 1.1)

    shape = (240, 250)
    (image,) = tensors(wave(*map(np.arange, shape)) * np.hanning(240)[:, None] * np.hanning(250))
    fine = oversample(torch.fft.rfft2(image), shape)
    assert fine.shape == (480, 500)
    places = [(np.arange(2 * n) + 0.5) / 2 - 0.5 for n in shape]
    # the window of the image, at places between its pixels
    window = [
        0.5 - 0.5 * np.cos(2 * np.pi * p / (n - 1)) for p, n in zip(places, shape, strict=True)
    ]
    expected = wave(*places) * window[0][:, None] * window[1]
    np.testing.assert_allclose(fine[20:-20, 20:-20], expected[20:-20, 20:-20], atol=2e-3)


def test_band_pass_leaves_neither_offset_nor_slope():
    (image,) = tensors(make_pair((160, 200), constant(0, 0))[0] / 1000)
    y, x = torch.arange(160.0)[:, None], torch.arange(200.0)
    plain, sloped = band_pass(image), band_pass(image + 50 + 0.05 * y - 0.03 * x)
    assert correlation(plain, sloped) > 0.999
    assert float(plain.std()) == pytest.approx(1, abs=1e-3)
    assert abs(float(plain.mean())) < 0.05


def test_band_pass_of_nothing_is_nothing():
    assert not band_pass(torch.zeros(64, 64)).any()


def test_band_pass_lets_structures_of_a_few_pixels_through():
    x = torch.arange(256.0).expand(64, 256)
    middle, coarse = (torch.sin(2 * np.pi * x / period) for period in (12, 120))
    # of equal strength before
    assert correlation(band_pass(middle + coarse), middle) > 0.98


@pytest.mark.parametrize("factor", [1, 2, 8])
def test_binned_pixels_are_means(rng, factor):
    image = rng.random((50, 67))
    found = bin_pixels(tensors(image)[0], factor)
    y, x = (n // factor for n in image.shape)
    whole = image[: y * factor, : x * factor]
    expected = whole.reshape(y, factor, x, factor).mean((1, 3))
    np.testing.assert_allclose(found, expected, atol=1e-6)
