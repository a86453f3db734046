import numpy as np
import pytest
import torch
from deformed_pairs import constant, displacement_map, waves
from scipy.ndimage import map_coordinates

from crossres.registration import apply_shift
from crossres.registration.sampling import sample
from crossres.registration.warping import warp


def ripples(*places):
    """A sum of waves no shorter than 9 pixels, at any places ([z, ]y, x)."""
    y, x = places[-2:]
    z = places[0] if len(places) == 3 else 0.0
    return (
        100
        + 30 * np.sin(2 * np.pi * (y / 9 + x / 31) + 0.4)
        + 20 * np.cos(2 * np.pi * (x / 11 - y / 40) + 1.1)
        + 15 * np.sin(2 * np.pi * (z / 10 + x / 25))
    )


def grid(*shape):
    return np.indices(shape).astype(float)


@pytest.mark.parametrize("shift", [(2.0, -3.0), (0.4, -0.7), (-3.3, 1.25)])
@pytest.mark.parametrize("border", [16, 0])
def test_a_constant_displacement_is_a_shift(rng, shift, border):
    image = rng.random((60, 70))
    found = warp(image, displacement_map(constant(*shift), image.shape))
    inside = tuple(slice(border, n - border) for n in image.shape)
    np.testing.assert_allclose(found[inside], apply_shift(image, shift)[inside], atol=1e-5)


def test_a_positive_displacement_moves_to_larger_indices():
    image = np.zeros((20, 30))
    image[7, 12] = 1.0
    found = warp(image, displacement_map(constant(3, 5), image.shape))
    assert np.unravel_index(found.argmax(), found.shape) == (10, 17)


def test_no_displacement_leaves_the_image_as_it_is(rng):
    image = rng.random((33, 47)).astype(np.float32)
    np.testing.assert_allclose(warp(image, np.zeros((2, 33, 47))), image, atol=1e-6)


# more rows than are warped at once
@pytest.mark.parametrize("shape", [(90, 70), (600, 64)])
def test_a_known_image_is_found_at_displaced_places(shape):
    displacement = displacement_map(waves(shape, 1, 3.0, (80, 200)), shape)
    found = warp(ripples(*grid(*shape)), displacement)
    expected = ripples(*(grid(*shape) - displacement))
    inside = (slice(12, -12),) * 2
    np.testing.assert_allclose(found[inside], expected[inside], atol=0.1)


def test_a_volume_is_warped_along_all_axes():
    shape = (30, 50, 60)
    displacement = np.stack([np.full(shape, part) for part in (1.3, -2.4, 0.6)])
    displacement[2] += 0.5 * np.sin(grid(*shape)[1] / 9)
    found = warp(ripples(*grid(*shape)), displacement)
    expected = ripples(*(grid(*shape) - displacement))
    inside = (slice(10, -10),) * 3
    np.testing.assert_allclose(found[inside], expected[inside], atol=0.1)


@pytest.mark.parametrize("shape", [(30, 25), (70, 90)])
def test_the_field_may_be_smaller_or_larger_than_the_image(shape):
    found = warp(ripples(*grid(50, 60)), displacement_map(constant(-4.5, -6.25), shape))
    assert found.shape == shape
    assert found.dtype == np.float32
    y, x = grid(*shape)
    # what lies well inside the image
    inside = (slice(4, min(shape[0], 36)), slice(4, min(shape[1], 44)))
    np.testing.assert_allclose(found[inside], ripples(y + 4.5, x + 6.25)[inside], atol=0.1)


def test_what_comes_from_outside_repeats_the_border():
    image = np.tile(np.arange(20.0), (10, 1))
    found = warp(image, displacement_map(constant(0, 6), image.shape))
    np.testing.assert_allclose(found[:, :6], 0, atol=1e-4)
    np.testing.assert_allclose(found[:, 6:], image[:, :-6], atol=1e-4)


def sampled(image, y, x):
    tensors = (
        torch.as_tensor(a, dtype=torch.float32) for a in (image[None, None], y[None], x[None])
    )
    return sample(*tensors)[0].numpy()


def test_pixel_i_is_sampled_at_i(rng):
    image = rng.random((13, 17))
    np.testing.assert_allclose(sampled(image, *grid(13, 17)), image, atol=1e-5)


def test_halfway_between_pixels_a_smooth_image_is_as_by_a_spline():
    image = ripples(*grid(60, 70) / 3)
    places = grid(60, 70)[:, 6:-6, 6:-6] + 0.5
    expected = map_coordinates(image, places, order=3)
    np.testing.assert_allclose(sampled(image, *places), expected, atol=0.3)


def test_a_ramp_is_sampled_where_asked(rng):
    y, x = rng.uniform(4, 35, (2, 20, 20))
    image = 3 * grid(40, 40)[0] - 2 * grid(40, 40)[1]
    np.testing.assert_allclose(sampled(image, y, x), 3 * y - 2 * x, atol=1e-3)


def test_beyond_the_border_samples_repeat_it():
    image = np.tile(np.arange(20.0), (10, 1))
    x = np.array([[-7.0, -3.0, 23.0]])
    np.testing.assert_allclose(sampled(image, np.full((1, 3), 5.0), x), [[0, 0, 19]], atol=1e-4)
