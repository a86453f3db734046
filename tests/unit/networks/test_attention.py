import numpy as np
import pytest
import torch
from live_memory import LiveMemory

from crossres.networks.attention import (
    FourierAttention,
    MeanAttention,
    averaged_spectrum,
    averaging_of_spectra,
    spectrum,
)

FIELD = 32


def mean_attention(dims=2, pooling_px=(FIELD, FIELD), channels=8):
    torch.manual_seed(0)
    attention = MeanAttention(dims, channels, 2, pooling_px).eval()
    for layer in (attention.squeeze, attention.excite):
        torch.nn.init.normal_(layer.weight)  # weights that tell windows apart
    return attention


def fourier_attention(pooling_px=(FIELD, FIELD), channels=8, sigmoid=True, **settings):
    torch.manual_seed(0)
    attention = FourierAttention(
        channels, 0.8, sigmoid, reduction=2, pooling_px=pooling_px, **settings
    ).eval()
    for layer in (attention.squeeze, attention.excite):
        torch.nn.init.normal_(layer.weight)
    return attention


KINDS = pytest.mark.parametrize("make", [mean_attention, fourier_attention])


def features(*shape, seed=1):
    """Channels that grow from corner to corner, so that windows differ."""
    noise = torch.rand(*shape, generator=torch.Generator().manual_seed(seed))
    ramps = [torch.linspace(0.2, 2.0, n) for n in shape[2:]]
    return noise * torch.cartesian_prod(*ramps).prod(-1).reshape(shape[2:])


def applied(attention, x):
    with torch.inference_mode():
        return attention(x)


@pytest.mark.parametrize("size", [(32, 32), (20, 32), (7, 13), (1, 1)])
@KINDS
def test_an_image_not_larger_than_the_field_is_pooled_over_whole(make, size):
    x = features(2, 8, *size)
    torch.testing.assert_close(applied(make(), x), applied(make(pooling_px=None), x))


@pytest.mark.parametrize("size", [(32, 32), (20, 32), (7, 13)])
@KINDS
def test_one_window_that_holds_the_image_is_the_whole_image(make, size):
    x = features(2, 8, *size)
    attention = make()
    with torch.inference_mode():
        windows, whole = attention.describe_windows(x, [32, 32]), attention.describe(x)
    torch.testing.assert_close(windows, whole, atol=1e-6, rtol=1e-4)


@KINDS
def test_every_window_shows_what_it_would_show_by_itself(make):
    x, attention = features(2, 8, 75, 40), make()
    with torch.inference_mode():
        windows = attention.describe_windows(x, [32, 32])
        for row, top in enumerate([0, 16, 32, 43]):
            for column, left in enumerate([0, 8]):
                alone = attention.describe(x[..., top : top + 32, left : left + 32])
                found = windows[:, :, row, column]
                torch.testing.assert_close(found, alone[..., 0, 0], atol=1e-6, rtol=1e-4)


@KINDS
def test_images_larger_than_the_field_are_attended_to_place_by_place(make):
    x = features(1, 8, 96, 96)
    by_field, by_whole = (applied(make(pooling_px=f), x) for f in ((FIELD, FIELD), None))
    assert (by_field - by_whole).std() > 0.01 * by_whole.std()


@pytest.mark.parametrize("start", [16, 48])
@KINDS
def test_a_tile_on_the_grid_is_attended_to_as_the_whole_image_is(make, start):
    x, attention = features(1, 8, 160, 112), make()
    whole = applied(attention, x)
    tile = applied(attention, x[:, :, start : start + 96])
    # a field from where the tile was cut no window is another one
    inner = slice(FIELD, 96 - FIELD)
    expected = whole[:, :, start : start + 96]
    torch.testing.assert_close(tile[:, :, inner], expected[:, :, inner], atol=1e-5, rtol=1e-4)
    assert (tile - expected).abs().max() > 1e-3  # nearer to the cut they are


def test_a_field_of_volumes_has_its_own_depth():
    x = features(1, 8, 20, 24, 40)
    attention = mean_attention(3, (8, 16, 16))
    whole = applied(attention, x)
    tile = applied(attention, x[:, :, 4:])
    torch.testing.assert_close(tile[:, :, 8:], whole[:, :, 12:], atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("shape", [(8, 8), (9, 12), (12, 9), (7, 5), (1, 6), (6, 1), (2, 2)])
@pytest.mark.parametrize("gamma", [0.1, 0.8, 1.0])
def test_spectrum_is_the_power_of_the_shifted_transform(rng, shape, gamma):
    image = rng.standard_normal((3, *shape))
    transform = np.fft.fftshift(np.fft.fft2(image, norm="ortho"), axes=(-2, -1))
    power = np.abs(transform) ** gamma
    found = spectrum(torch.from_numpy(image), gamma).numpy()
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, power, rtol=1e-3, atol=1e-3)
    for side in (1, 4, 16):
        expected = torch.nn.functional.adaptive_avg_pool2d(torch.from_numpy(power), side)
        given = torch.from_numpy(image)
        averaging = averaging_of_spectra(*shape, side, given)
        averaged = averaged_spectrum(given, gamma, averaging)
        assert averaged.dtype == torch.float32
        np.testing.assert_allclose(averaged, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("shift", [(3, 0), (5, 11), (16, 31)])
def test_fourier_attention_does_not_see_where_in_the_window_things_are(shift):
    # a circular shift turns the phases of a transform and nothing else
    x, attention = features(1, 8, 32, 32), fourier_attention()
    with torch.inference_mode():
        described = attention.describe(x)
        shifted = attention.describe(x.roll(shift, (-2, -1)))
    assert described.abs().max() > 0.1
    torch.testing.assert_close(shifted, described, atol=1e-4, rtol=1e-4)


def test_fourier_attention_sees_the_size_of_things():
    x, attention = torch.rand(1, 8, 32, 32), fourier_attention()
    coarse = torch.nn.functional.avg_pool2d(x, 5, stride=1, padding=2)
    with torch.inference_mode():
        fine, blurred = attention.describe(x), attention.describe(coarse)
    assert (fine - blurred).abs().max() > 0.05 * fine.abs().max()


@pytest.mark.parametrize("size", [(32, 32), (33, 70), (128, 96)])
def test_the_power_of_a_spectrum_is_that_of_the_pixels_for_any_size_of_field(size):
    # Parseval's theorem
    noise = torch.randn(2, *size, generator=torch.Generator().manual_seed(0))
    power = spectrum(noise, gamma=1.0).square().mean((-2, -1))
    torch.testing.assert_close(power, noise.square().mean((-2, -1)), rtol=1e-4, atol=0)


def test_without_sigmoid_weights_may_pass_one():
    described = torch.linspace(-9, 9, 8)[None, :, None, None]
    open_ended = fourier_attention(sigmoid=False).weigh(described)
    torch.testing.assert_close(fourier_attention().weigh(described), torch.sigmoid(open_ended))
    assert open_ended.min() < 0 or open_ended.max() > 1


@KINDS
def test_memory_is_bounded_by_the_image_and_not_by_the_number_of_windows(make):
    # 225 windows hold the image four times; its own size is 1
    x = features(1, 8, 256, 256)
    attention = make(spectrum_px=16) if make is fourier_attention else make()
    with torch.inference_mode(), LiveMemory() as memory:
        attention(x)
    assert memory.peak_bytes < 3.5 * x.nbytes


@KINDS
def test_gradients_pass_through_windows(make):
    x = features(1, 8, 48, 40).requires_grad_()
    make()(x).square().sum().backward()
    assert torch.isfinite(x.grad).all()
    assert (x.grad != 0).float().mean() > 0.99
