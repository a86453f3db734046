"""Noise and stripes where nothing is, against images that have so much of them."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from crossres.measure.background import (
    background_texture,
    object_free_blocks,
    stripes,
)
from crossres.measure.measured import MeasuredImage

SIDE = 256


@pytest.fixture
def target(rng):
    """Crowded spots in the left half, under noise of standard deviation 4."""
    points = np.zeros((SIDE, SIDE))
    points[:, : SIDE // 2] = rng.random((SIDE, SIDE // 2)) < 0.02
    return 20 + 900 * gaussian_filter(points, 1.5) + rng.normal(0, 4, (SIDE, SIDE))


def measured(image, target):
    seen = MeasuredImage("gan", image, target, 30.0)
    return {value.metric: value.value for value in background_texture(seen)}


def test_blocks_are_where_nothing_is(target):
    blocks = object_free_blocks(target)
    # the three outer columns of eight blocks; the spots' light reaches into the next one
    assert len(blocks) >= 16
    assert all(columns.start >= SIDE // 2 for _, columns in blocks)


def test_noise_is_that_of_the_image_and_not_of_the_target(rng, target):
    image = 20 + rng.normal(0, 1.5, target.shape)
    assert measured(image, target)["background_sd"] == pytest.approx(1.5, rel=0.03)


def test_stripes_stand_out_of_noise(rng, target):
    y, x = np.mgrid[:SIDE, :SIDE]
    noise = rng.normal(0, 1.0, target.shape)
    diagonal = np.sin(2 * np.pi * (y + x) / 4)
    found = [measured(noise + a * diagonal, target)["background_stripes"] for a in (0, 0.5, 2)]
    assert found[0] < 3 < 10 < found[1] < found[2]


def test_a_slow_background_is_no_stripe():
    y, _ = np.mgrid[:32, :32]
    noise = np.random.default_rng(0).normal(0, 1.0, (200, 32, 32))
    assert stripes(noise + 5 * np.sin(2 * np.pi * y / 64)) < 3


def test_where_no_block_is_free_of_objects_nothing_is_measured(target):
    small = MeasuredImage("gan", target[:20], target[:20], 30.0)
    assert list(background_texture(small)) == []
