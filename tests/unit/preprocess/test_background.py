import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from crossres.jobs import InputError
from crossres.preprocess import background_of, find_background, subtract_background


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(40, 40), (33, 51)])
@pytest.mark.parametrize("side", [4, 7])
def test_darkest_of_all_squares_is_found(rng, shape, side, dtype):
    image = (rng.random(shape) * 250).astype(dtype)
    means = sliding_window_view(image.astype(float), (side, side)).mean(axis=(2, 3))
    mean, corner = find_background(image, side)
    assert mean == pytest.approx(means.min())
    assert corner == np.unravel_index(means.argmin(), means.shape)


@pytest.mark.parametrize("corner", [(0, 0), (0, 24), (21, 0), (21, 24), (10, 13)])
def test_dark_region_is_found_wherever_it_lies(corner):
    image = np.full((30, 33), 1000, np.uint16)
    y, x = corner
    image[y : y + 9, x : x + 9] = 300
    assert find_background(image, 9) == (300.0, corner)


def test_region_shrinks_to_a_small_image():
    image = np.arange(24, dtype=np.uint8).reshape(4, 6)
    # the first of the three squares of 4 x 4 is the darkest: 0..3, 6..9, 12..15, 18..21
    assert find_background(image, 32) == (10.5, (0, 0))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_subtraction_is_clipped_at_zero(dtype):
    found = subtract_background(np.array([[0, 10], [11, 255]], dtype), 10.5)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[0, 0], [0.5, 244.5]])


REGION = {"method": "region", "region_px": 4, "region": {"field": "b", "y_px": 2, "x_px": 3}}


def test_one_background_is_taken_of_all_images(rng):
    images = {name: rng.uniform(50, 90, (30, 40)) for name in "ab"}
    images["b"][5:14, 20:29] = 40
    assert background_of(images, {"method": "find", "region_px": 9}) == pytest.approx(40)
    expected = images["b"][2:6, 3:7].mean()
    assert background_of(images, REGION) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("region", "words"),
    [
        ({"field": "c", "y_px": 0, "x_px": 0}, "region.field is 'c'; it must be one of.*: a, b"),
        ({"field": "b", "y_px": 27, "x_px": 0}, r"4 px from \(27, 0\) leave the field"),
    ],
)
def test_a_region_that_is_not_there_is_named(rng, region, words):
    images = {name: rng.uniform(50, 90, (30, 40)) for name in "ab"}
    with pytest.raises(InputError, match=words):
        background_of(images, {**REGION, "region": region})
