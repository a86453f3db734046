import logging

import numpy as np
import pytest
import torch
from networks_to_tile import SETTINGS, picture, small_network, uneven_picture, untiled
from torch import nn

from crossres.catalogue.networks import NETWORKS
from crossres.jobs import InputError
from crossres.networks import build
from crossres.networks.attention import WindowedAttention
from crossres.restoration import Inference, restore

CONVOLUTIONAL = [key for key in SETTINGS if "pooling_px" not in SETTINGS[key]]
ATTENTION = [key for key in SETTINGS if "pooling_px" in SETTINGS[key]]


class Doubling(nn.Module):
    """Says nothing of itself, and sees one pixel."""

    def forward(self, x):
        return 2 * x


class Hungry(Doubling):
    """Has no room for images of more than some pixels."""

    def __init__(self, most_px, error):
        super().__init__()
        self.most_px, self.error, self.seen = most_px, error, []

    def forward(self, x):
        self.seen.append(x.shape[2:].numel())
        if self.seen[-1] > self.most_px:
            raise self.error
        return super().forward(x)


def test_every_registered_network_is_tested_in_all_its_dimensions():
    assert set(SETTINGS) == {
        (name, dims) for name, known in NETWORKS.items() for dims in known.dims
    }


def with_strong_attention(model, strength=10):
    """Return a network that tells one channel from another, as if it were trained to."""
    for module in model.modules():
        if isinstance(module, WindowedAttention):
            module.excite.weight.data *= strength
    return model


def shape_of(dims):
    return (150, 170) if dims == 2 else (11, 70, 83)


@pytest.mark.parametrize(("name", "dims"), CONVOLUTIONAL)
@pytest.mark.parametrize("tile_px", [64, 50])
def test_tiled_is_the_same_as_untiled(name, dims, tile_px):
    model, image = small_network(name, dims), picture(shape_of(dims))
    expected = untiled(model, image)
    found = restore(model, image, tile_px=tile_px if dims == 2 else tile_px // 2)
    # a thousandth of the range is promised
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.ptp(expected))


@pytest.mark.parametrize(("name", "dims"), ATTENTION)
@pytest.mark.parametrize("strength", [1, 10])
def test_tiled_attention_is_that_of_the_whole_image(name, dims, strength):
    model = with_strong_attention(small_network(name, dims), strength)
    image = uneven_picture(shape_of(dims))
    expected = untiled(model, image)
    found = restore(model, image, tile_px=64 if dims == 2 else 32)
    difference = found - expected
    assert np.sqrt(np.mean(difference**2)) <= 0.01 * np.std(expected)
    assert np.abs(difference).max() <= 0.03 * np.ptp(expected)


def test_tiles_in_z_are_the_same_as_the_whole_volume():
    model, image = small_network("care", 3), picture((40, 30, 33))
    found = restore(model, image, tile_px=(8, 16, 16))
    expected = untiled(model, image)
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.ptp(expected))


def test_attention_without_a_field_does_not_depend_on_the_tiles():
    model = with_strong_attention(small_network("rcan", pooling_px=None))
    image = uneven_picture((300, 340))
    whole = restore(model, image, tile_px=1000)
    tiled = restore(model, image, tile_px=128)
    assert np.sqrt(np.mean((tiled - whole) ** 2)) <= 0.01 * np.std(whole)
    # lent for the time of the restoration
    assert all(m.pooling_px is None for m in model.modules() if isinstance(m, WindowedAttention))


def test_attention_without_a_field_pools_over_the_whole_of_a_small_image():
    model = small_network("dfcan", pooling_px=None)
    image = uneven_picture((100, 130))
    expected = untiled(model, image)
    found = restore(model, image, tile_px=32)
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.ptp(expected))


@pytest.mark.parametrize("tile_px", [1, 33, 1000])
@pytest.mark.parametrize("shape", [(97, 34), (5, 7), (1, 1), (1, 90), (32, 32)])
def test_any_size_and_any_tile_will_do(shape, tile_px):
    torch.manual_seed(0)
    model, image = build("cnn", width=2, depth=2).eval(), picture(shape)
    expected = untiled(model, image)
    found = restore(model, image, tile_px=tile_px)
    np.testing.assert_allclose(found, expected, atol=1e-4 * (np.ptp(expected) or 1))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, ">u2", np.float32, np.float64])
@pytest.mark.parametrize("tile_px", [7, 32, 100])
def test_every_pixel_is_restored_once_as_float32(rng, dtype, tile_px):
    image = (rng.random((70, 99)) * 200).astype(dtype)
    found = restore(Doubling(), image, tile_px=tile_px, margin_px=3)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, 2 * image.astype(np.float32))


def test_no_margin_will_do_for_a_model_without_neighbours():
    image = picture((70, 90))
    np.testing.assert_array_equal(restore(Doubling(), image, 32, margin_px=0), 2 * image)


def test_the_model_never_sees_more_than_a_tile_and_its_margins():
    torch.manual_seed(0)
    small = build("cnn", width=2, depth=2).eval()
    sizes = []
    small.register_forward_pre_hook(lambda _, inputs: sizes.append(inputs[0].shape))
    restore(small, picture((300, 170)), tile_px=40)
    # the margin is rounded up to the stride
    most = 40 + 2 * (small.reach_px[0] + small.stride_px[0])
    assert len(sizes) == 8 * 5
    assert max(max(shape[-2:]) for shape in sizes) <= most


def test_images_turned_or_strided_in_memory_are_read_right():
    image = picture((80, 120))
    np.testing.assert_array_equal(
        restore(Doubling(), image[::2, ::-1].T, 32), 2 * image[::2, ::-1].T
    )


def test_a_model_fresh_from_training_restores_without_chance_and_trains_on():
    model = nn.Sequential(nn.Dropout(0.5), nn.Identity()).train()
    model[1].eval()
    image = picture((20, 20))
    np.testing.assert_array_equal(restore(model, image, 8), image)
    assert [module.training for module in model.modules()] == [True, True, False]


def test_the_image_is_left_as_it_was():
    image = picture((20, 20))
    before = image.copy()
    restore(Doubling(), image, 8)
    np.testing.assert_array_equal(image, before)


def test_pixels_that_are_no_numbers_are_counted():
    image = picture((40, 40))
    image[3, 4:7] = np.nan
    image[9, 9] = np.inf
    with pytest.raises(InputError, match="the image holds 4 NaN or Inf pixels"):
        restore(Doubling(), image)


@pytest.mark.parametrize("image", [np.zeros((0, 5)), np.zeros((4, 4), complex)])
def test_what_is_no_image_is_refused(image):
    with pytest.raises(InputError, match=r"the image (is empty|holds complex128)"):
        restore(Doubling(), image)


@pytest.mark.parametrize(
    ("dims", "shape", "expected"),
    [
        (2, (9, 20, 20), r"works on images \(Y, X\); it was given 3 axes"),
        (3, (20, 20), r"works on volumes \(Z, Y, X\); it was given 2 axes"),
    ],
)
def test_a_model_of_other_dimensions_is_refused(dims, shape, expected):
    with pytest.raises(InputError, match=expected):
        restore(small_network("care", dims), picture(shape))


def test_a_model_that_changes_the_size_is_refused():
    with pytest.raises(InputError, match="the size of its input"):
        restore(nn.AvgPool2d(2), picture((40, 40)))


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
    ],
)
def test_where_the_memory_does_not_suffice_smaller_tiles_are_tried(error, caplog):
    model, image = Hungry(100 * 100, error), picture((300, 260))
    with caplog.at_level(logging.INFO, logger="crossres"):
        found = restore(model, image, margin_px=0)
    np.testing.assert_array_equal(found, 2 * image)
    assert model.seen[0] > 100 * 100 >= model.seen[-1]
    assert "out of memory with tiles of 320 x 288 px; trying 160 x 128 px" in caplog.text


def test_what_was_blended_before_the_memory_ran_out_does_not_count_twice():
    model = small_network("rcan")
    image = uneven_picture((100, 110))
    expected = restore(model, image, tile_px=16)
    passed = []

    def fail_once(*_):
        passed.append(1)
        if len(passed) == 3:
            raise MemoryError

    model.register_forward_pre_hook(fail_once)
    np.testing.assert_array_equal(restore(model, image, tile_px=32), expected)
    # two of 32 px, one that failed, and all of 16 px
    assert len(passed) == 3 + 7 * 7


def test_memory_for_not_even_the_smallest_tile_ends_clearly():
    with pytest.raises(InputError, match="does not suffice even for tiles of 32 x 32 px"):
        restore(Hungry(10, MemoryError()), picture((64, 64)), margin_px=0)


def test_another_error_of_the_model_is_not_taken_for_want_of_memory():
    with pytest.raises(RuntimeError, match="shapes do not match"):
        restore(Hungry(10, RuntimeError("shapes do not match")), picture((64, 64)))


def test_an_image_that_may_not_be_written_to_is_restored(rng):
    # as a field mapped from a file
    image = rng.random((40, 40)).astype(np.float32)
    image.flags.writeable = False
    np.testing.assert_array_equal(restore(Doubling(), image), 2 * image)


def test_many_images_are_restored_by_one_prepared_network(rng):
    network = small_network("cnn").train()
    inference = Inference(network)
    for shape in ((40, 40), (40, 40), (33, 57)):
        image = rng.random(shape).astype(np.float32)
        np.testing.assert_allclose(
            restore(inference, image), untiled(network.eval(), image), atol=1e-6
        )
        network.train()
    assert network.training
