import numpy as np
import pytest
import torch
from torch import nn

from crossres.networks.unet import UNet
from crossres.restoration import restore


class Doubling(nn.Module):
    """Knows neither stride nor reach, and sees one pixel."""

    def forward(self, x):
        return 2 * x


@pytest.fixture
def small():
    torch.manual_seed(0)
    return UNet(width=2, depth=2).eval()


def untiled(model, image):
    with torch.inference_mode():
        return model(torch.from_numpy(image)[None, None])[0, 0].numpy()


def picture(shape):
    return np.random.default_rng(1).random(shape, dtype=np.float32)


@pytest.mark.parametrize("tile_px", [16, 33, 50, 64, 1000])
@pytest.mark.parametrize("shape", [(64, 64), (97, 134), (33, 150), (5, 7)])
def test_tiled_is_the_same_as_untiled(small, shape, tile_px):
    image = picture(shape)
    expected = untiled(small, image)
    found = restore(small, image, tile_px=tile_px)
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.ptp(expected))


def test_tiles_smaller_than_the_stride_are_as_large_as_it(small):
    image = picture((33, 30))
    expected = untiled(small, image)
    found = restore(small, image, tile_px=1)
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.ptp(expected))


@pytest.mark.parametrize(("shape", "tile_px"), [((331, 217), 128), ((200, 401), 100)])
def test_tiled_is_the_same_as_untiled_at_the_papers_depth(shape, tile_px):
    torch.manual_seed(1)
    model, image = UNet(width=2).eval(), picture(shape)
    expected = untiled(model, image)
    found = restore(model, image, tile_px=tile_px)
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.ptp(expected))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("tile_px", [7, 10, 100])
def test_every_pixel_is_restored_once_as_float32(rng, dtype, tile_px):
    image = (rng.random((23, 40)) * 200).astype(dtype)
    found = restore(Doubling(), image, tile_px=tile_px, margin_px=3)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, 2 * image.astype(np.float32))


def test_no_margin_will_do_for_a_model_without_neighbours():
    image = picture((23, 40))
    np.testing.assert_array_equal(restore(Doubling(), image, 8, margin_px=0), 2 * image)


def test_the_model_never_sees_more_than_a_tile_and_its_margins(small):
    sizes = []
    small.register_forward_pre_hook(lambda _, inputs: sizes.append(inputs[0].shape))
    restore(small, picture((300, 170)), tile_px=40)
    # the margin is rounded up to the stride
    most = 40 + 2 * (small.reach_px + small.stride)
    assert len(sizes) == 8 * 5
    assert max(max(shape[-2:]) for shape in sizes) <= most


def test_images_turned_or_strided_in_memory_are_read_right():
    image = picture((40, 60))
    np.testing.assert_array_equal(
        restore(Doubling(), image[::2, ::-1].T, 16), 2 * image[::2, ::-1].T
    )


def test_a_model_fresh_from_training_restores_without_chance():
    model = nn.Sequential(nn.Dropout(0.5)).train()
    image = picture((20, 20))
    np.testing.assert_array_equal(restore(model, image, 8), image)


def test_the_image_is_left_as_it_was():
    image = picture((20, 20))
    before = image.copy()
    restore(Doubling(), image, 8)
    np.testing.assert_array_equal(image, before)
