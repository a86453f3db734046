import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from crossres.jobs import InputError
from crossres.preprocess import background_of, find_background, subtract_background
from crossres.settings import Background


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


def region(field, y_px, x_px):
    at = {"field": field, "y_px": y_px, "x_px": x_px}
    return Background(method="region", region_px=4, region=at)


def test_one_background_is_taken_of_all_images(rng):
    images = {name: rng.uniform(50, 90, (30, 40)) for name in "ab"}
    images["b"][5:14, 20:29] = 40
    assert background_of(images.items(), Background(method="find", region_px=9)) == pytest.approx(
        40
    )
    expected = images["b"][2:6, 3:7].mean()
    assert background_of(images.items(), region("b", 2, 3)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (("c", 0, 0), "region.field is 'c'; it must be one of.*: a, b"),
        (("b", 27, 0), r"4 px from \(27, 0\) leave the field of 30 x 40 px"),
        (("b", 0, 37), r"4 px from \(0, 37\) leave the field"),
    ],
)
@pytest.mark.parametrize("slices", [(), (3,)])
def test_a_region_that_is_not_there_is_named(rng, place, words, slices):
    images = {name: rng.uniform(50, 90, (*slices, 30, 40)) for name in "ab"}
    with pytest.raises(InputError, match=words):
        background_of(images.items(), region(*place))


def test_a_region_that_is_not_given_is_asked_for(rng):
    with pytest.raises(InputError, match=r"background\.region is missing"):
        background_of([("a", rng.random((30, 40)))], Background(method="region"))


@pytest.mark.parametrize("leading", [(5,), (2, 5)])
def test_the_darkest_square_of_a_volume_lies_in_one_of_its_slices(rng, leading):
    volume = rng.uniform(200, 900, (*leading, 30, 33))
    # dark throughout in z, and darker in one slice elsewhere
    volume[..., 3:12, 4:13] = 150
    place = tuple(n - 2 for n in leading)
    volume[(*place, slice(20, 29), slice(10, 19))] = 100
    assert find_background(volume, 9) == (pytest.approx(100), (*place, 20, 10))
    assert background_of([("a", volume)], Background(method="find", region_px=9)) == pytest.approx(
        100
    )


def test_a_region_given_is_that_of_all_slices(rng):
    volume = rng.uniform(50, 90, (6, 30, 40))
    found = background_of([("b", volume)], region("b", 2, 3))
    assert found == pytest.approx(volume[:, 2:6, 3:7].mean())
