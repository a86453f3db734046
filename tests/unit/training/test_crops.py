"""Random crops of patches, empty ones drawn anew."""

import numpy as np
import pytest
import torch

from crossres.training.batches import Foreground, Sampling, draw_batch

LEVEL = 0.25


def draw(inputs, targets, count, fraction=0.0, augment=False, side=4, iteration=0):
    sampling = Sampling(count, augment, 1, side, Foreground(LEVEL, fraction))
    return draw_batch(inputs, targets, sampling, iteration)


def numbered(*shape):
    """Patches in which every pixel has a number of its own."""
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


@pytest.mark.parametrize("shape", [(5, 9, 9), (5, 3, 9, 9)])
def test_input_and_target_are_cropped_at_the_same_place(shape):
    inputs = numbered(*shape)
    x, y = draw(inputs, -inputs, 40)
    assert x.shape == (40, 1, *shape[1:-2], 4, 4)
    assert torch.equal(y, -x)


def test_a_crop_is_a_window_of_a_stored_patch():
    inputs = numbered(5, 9, 9)
    windows = {
        inputs[n, y : y + 4, x : x + 4].tobytes()
        for n in range(5)
        for y in range(6)
        for x in range(6)
    }
    found, _ = draw(inputs, inputs, 40)
    assert {crop[0].tobytes() for crop in found.numpy()} <= windows


def test_of_a_volume_all_slices_are_cropped_alike():
    inputs = numbered(5, 3, 9, 9)
    x, _ = draw(inputs, inputs, 10)
    # a slice of 81 pixels lies between a pixel and the one above it
    assert torch.equal(x[:, :, 1], x[:, :, 0] + 81)


def test_all_places_are_drawn_alike():
    inputs = numbered(1, 9, 9)
    x, _ = draw(inputs, inputs, 7200)
    corners = x[:, 0, 0, 0].long()
    counts = np.bincount(9 * (corners // 9) + corners % 9, minlength=81).reshape(9, 9)
    # six places along each axis, 200 each, give or take 14
    assert counts[:6, :6].sum() == 7200
    assert counts[:6, :6].min() > 140
    assert counts[:6, :6].max() < 260


def test_a_crop_as_large_as_the_patch_is_the_patch():
    inputs = numbered(3, 4, 4)
    x, _ = draw(inputs, inputs, 3, fraction=0.5)
    assert sorted(x[:, 0, 0, 0].tolist()) == [0, 16, 32]


def spotted(side=20):
    """A target whose only bright pixels are a block of 4 x 4 in a corner."""
    target = np.zeros((1, side, side), dtype=np.float32)
    target[0, :4, :4] = 1.0
    return target


def share_that_shows(fraction):
    target = spotted()
    _, y = draw(numbered(1, 20, 20), target, 2000, fraction)
    return np.mean((y.numpy() > LEVEL).mean(axis=(1, 2, 3)) >= 1 / 16)


def test_empty_crops_are_drawn_anew():
    # 16 of 17^2 places show a pixel: of ten draws one does with 1 - (1 - 16/289)^10 = 0.43
    assert share_that_shows(0.0) == pytest.approx(16 / 289, abs=0.02)
    assert share_that_shows(1 / 16) == pytest.approx(0.434, abs=0.04)


def test_what_lies_at_the_level_is_no_foreground():
    target = np.full((1, 20, 20), LEVEL, dtype=np.float32)
    target[0, :4, :4] += 0.01
    _, y = draw(numbered(1, 20, 20), target, 2000, 1 / 16)
    assert np.mean((y.numpy() > LEVEL).any(axis=(1, 2, 3))) == pytest.approx(0.434, abs=0.04)


def test_the_search_in_an_empty_patch_ends():
    inputs = numbered(1, 20, 20)
    x, y = draw(inputs, np.zeros_like(inputs), 50, fraction=1.0)
    assert x.shape == (50, 1, 4, 4)
    assert not y.any()


def growing():
    """A patch of 101 places along x, its column numbers, and a target that shows ever more."""
    columns = np.broadcast_to(np.arange(116, dtype=np.float32), (1, 16, 116))
    return columns, (np.arange(16)[:, None] < columns * 16 // 116).astype(np.float32)


def test_the_crop_that_shows_most_is_taken_when_none_shows_enough():
    # the last of ten draws out of 0-100 lies at 91 on average
    x, _ = draw(*growing(), 400, fraction=1.0, side=16)
    assert x[:, 0, 0, 0].mean().item() == pytest.approx(101 * 10 / 11 - 0.5, abs=1.5)


def test_the_first_crop_that_shows_enough_is_taken_not_the_best():
    columns, _ = growing()
    x, _ = draw(columns, np.ones_like(columns), 1000, fraction=0.9, side=16)
    assert x[:, 0, 0, 0].mean().item() == pytest.approx(50, abs=3)


@pytest.mark.parametrize("augment", [False, True])
def test_turned_crops_still_belong_together(augment):
    inputs = numbered(5, 9, 9)
    x, y = draw(inputs, -inputs, 40, augment=augment)
    assert torch.equal(y, -x)
