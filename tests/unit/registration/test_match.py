"""Where a field of a better objective lies in a worse one's, of points of light drawn in both."""

from functools import cache

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from crossres.preprocess import resample
from crossres.registration import FieldMatch, match_field, place_in_field

pytestmark = pytest.mark.slow

SHAPE = (150, 170)
CORNER = np.array([30.3, 41.6])
SIDE = 84
"""Of the field of the better objective, in pixels of the worse."""


@cache
def sample(seed):
    """Return places (2, N), in pixels of the worse objective, and light (N,)."""
    rng = np.random.default_rng(seed)
    side, spots, filaments, steps = max(SHAPE), 150, 90, 600
    places, light = [rng.uniform(-10, side + 10, (2, spots))], [rng.lognormal(1.5, 0.6, spots)]
    start = rng.uniform(-20, side + 20, (2, filaments, 1))
    bend = 0.01 * rng.normal(size=(filaments, steps)).cumsum(1)
    heading = rng.uniform(0, 2 * np.pi, (filaments, 1)) + bend
    along = start + 0.25 * np.stack([np.sin(heading), np.cos(heading)]).cumsum(2)
    places.append(along.reshape(2, -1))
    light.append(np.repeat(0.25 * rng.lognormal(0, 0.4, filaments), steps))
    return np.concatenate(places, axis=1), np.concatenate(light)


def draw(places, light, shape, sigma_px, finer):
    """Return the blurred image of points of light; a pixel sums what falls onto it."""
    margin = int(np.ceil(4 * sigma_px))
    fine = [(n + 2 * margin) * finer for n in shape]
    places = (places + 0.5 + margin) * finer - 0.5
    low = np.floor(places).astype(int)
    within = ((low >= 0) & (low < np.reshape(fine, (2, 1)) - 1)).all(0)
    (y, x), part, light = low[:, within], (places - low)[:, within], light[within]
    image = np.zeros(fine[0] * fine[1])
    for i, j in np.ndindex(2, 2):
        share = light * np.abs(1 - i - part[0]) * np.abs(1 - j - part[1])
        image += np.bincount((y + i) * fine[1] + x + j, share, image.size)
    image = gaussian_filter(image.reshape(fine), sigma_px * finer)
    image = image.reshape(fine[0] // finer, finer, fine[1] // finer, finer).sum((1, 3))
    return image[margin:-margin, margin:-margin]


def noisy(image, rng, photons=2000):
    return rng.poisson(photons * image / np.percentile(image, 99.9) + 20).astype(np.float32)


@cache
def make_field(ratio, rotation_degree=0.0, scale=1.0, seed=0):
    """Return reference, moving image, and A and b between them."""
    turn = np.deg2rad(rotation_degree)
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    matrix = matrix * ratio * scale
    offset = -matrix @ CORNER
    places, light = sample(seed)
    rng = np.random.default_rng(seed + 100)
    # both objectives blur: the worse by twice as much
    reference = draw(places, light, SHAPE, 1.0, 2)
    side = int(SIDE * ratio)
    moved = matrix @ places + offset[:, None]
    moving = draw(moved, light, (side, side + 7), 0.5 * ratio, 1)
    return noisy(reference, rng), noisy(moving, rng), matrix, offset


def error_px(found, matrix, offset):
    """Return the root mean square error of a place in the field, in pixels of the reference."""
    away = np.reshape(np.mgrid[-35:36:35, -35:36:35], (2, -1))
    at = CORNER[:, None] + SIDE / 2 + away
    error = (found.matrix - matrix) @ at + (found.offset - offset)[:, None]
    return np.sqrt((np.linalg.solve(matrix, error) ** 2).sum(0).mean())


@pytest.mark.parametrize("ratio", [2, 5, 2.17])
def test_a_field_is_found_to_a_fraction_of_a_pixel(ratio):
    reference, moving, matrix, offset = make_field(ratio)
    found = match_field(reference, moving, ratio)
    assert found.reason == ""
    assert error_px(found, matrix, offset) < 0.1
    assert found.ratio == pytest.approx(ratio, rel=2e-3)
    assert found.rotation_degree == pytest.approx(0, abs=0.1)
    assert found.correlation > 0.9


@pytest.mark.parametrize("ratio", [2, 5])
@pytest.mark.parametrize(("rotation_degree", "scale"), [(2.0, 1.0), (0.0, 1.03), (-2.0, 0.97)])
def test_rotation_and_scale_error_are_found(ratio, rotation_degree, scale):
    reference, moving, matrix, offset = make_field(ratio, rotation_degree, scale)
    found = match_field(reference, moving, ratio)
    assert found.reason == ""
    assert error_px(found, matrix, offset) < 0.2
    assert found.ratio == pytest.approx(ratio * scale, rel=3e-3)
    assert found.rotation_degree == pytest.approx(rotation_degree, abs=0.15)


def test_a_field_as_large_as_the_reference_lies_on_it():
    reference, _, _, _ = make_field(2)
    found = match_field(reference, reference, 1.0)
    np.testing.assert_allclose(found.matrix, np.eye(2), atol=1e-3)
    np.testing.assert_allclose(found.offset, 0, atol=0.05)
    assert found.reason == ""


def test_pixels_have_their_centres_at_whole_numbers():
    # binned by 3, pixel p covers the fine pixels 3 p to 3 p + 2: its centre is at 3 p + 1
    _, fine, _, _ = make_field(2)
    height, width = (n // 3 for n in fine.shape)
    fine = fine[: 3 * height, : 3 * width]
    binned = fine.reshape(height, 3, width, 3).mean((1, 3))
    found = match_field(binned, fine, 3.0)
    middle = (np.array(binned.shape) - 1) / 2
    np.testing.assert_allclose(found.matrix @ middle + found.offset, 3 * middle + 1, atol=0.15)


@pytest.mark.parametrize(("true", "nominal"), [(5, 4), (2, 6)])
def test_a_wrong_ratio_is_refused_and_the_right_one_named(true, nominal):
    reference, moving, _, _ = make_field(true)
    found = match_field(reference, moving, nominal)
    assert f"ratio of pixel sizes given, {nominal}" in found.reason
    assert "correct the pixel sizes" in found.reason
    named = float(found.reason.split("; at ")[1].split()[0])
    assert named == pytest.approx(true, rel=0.03)
    assert found.ratio == pytest.approx(true, rel=0.03)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (np.fliplr, "mirrored left to right"),
        (np.flipud, "mirrored top to bottom"),
        # what was turned by a quarter fits turned by three more
        (lambda image: np.rot90(image, 3), "rotated by 90 degrees counter-clockwise"),
        (lambda image: np.rot90(image, 2), "rotated by 180 degrees"),
    ],
    ids=["mirrored", "upside down", "quarter turn", "half turn"],
)
def test_another_orientation_is_refused_and_named(change, words):
    reference, moving, _, _ = make_field(2)
    found = match_field(reference, np.ascontiguousarray(change(moving)), 2)
    assert f"the target fits only once it is {words} (" in found.reason
    correlation = float(found.reason.split("correlation ")[1].split()[0])
    assert correlation > 0.8


def test_noise_is_refused_with_numbers():
    reference, moving, _, _ = make_field(2)
    noise = np.random.default_rng(0).poisson(100, moving.shape)
    found = match_field(reference, noise, 2, min_correlation=0.35)
    assert "does not lie in the input" in found.reason
    assert f"{found.correlation:.2f}" in found.reason
    assert "registration.min_correlation is 0.35" in found.reason
    assert found.correlation < 0.35


@pytest.fixture(scope="module")
def unrelated():
    """A match of a field of another sample."""
    return match_field(make_field(2, seed=1)[0], make_field(2, seed=11)[1], 2)


def test_a_field_of_another_sample_is_refused_with_numbers(unrelated):
    assert "does not lie in the input" in unrelated.reason
    assert any(character.isdigit() for character in unrelated.reason)


def test_a_field_of_another_sample_is_not_said_to_be_of_another_ratio(unrelated):
    assert "correct the pixel sizes" not in unrelated.reason


@pytest.mark.parametrize("value", [0, 77])
def test_an_empty_field_is_refused(value):
    reference, moving, _, _ = make_field(2)
    assert match_field(reference, np.full(moving.shape, value), 2).reason


def test_in_an_empty_reference_nothing_is_found():
    _, moving, _, _ = make_field(2)
    assert match_field(np.zeros(SHAPE), moving, 2).reason


def test_the_same_again_is_the_same():
    reference, moving, _, _ = make_field(2)
    one, other = (match_field(reference, moving, 2) for _ in range(2))
    np.testing.assert_array_equal(one.matrix, other.matrix)
    np.testing.assert_array_equal(one.offset, other.offset)


def known_match(ratio):
    _, _, matrix, offset = make_field(ratio, 2.0)
    return FieldMatch(matrix, offset, 1.0, ratio, 2.0)


@pytest.mark.parametrize("corner_px", [(0, 0), (37, 52)])
@pytest.mark.parametrize("ratio", [2, 2.17, 5])
def test_a_place_of_a_cut_field_is_that_of_the_reference(ratio, corner_px):
    match = known_match(ratio)
    matrix, offset = place_in_field(match, corner_px, ratio)
    # the corner of the field, at its outer edge, is that of the reference's pixel
    edge = np.array([-0.5, -0.5])
    expected = match.matrix @ (np.array(corner_px) - 0.5) + match.offset
    np.testing.assert_allclose(matrix @ edge + offset, expected)
    # ten pixels of the reference further are ten ratios in the field
    further = match.matrix @ (np.array(corner_px) + 9.5) + match.offset
    np.testing.assert_allclose(matrix @ (edge + 10 * ratio) + offset, further)


def test_in_a_field_of_the_references_own_pixels_only_the_corner_counts():
    match = known_match(2)
    matrix, offset = place_in_field(match, (5, 8), 1.0)
    np.testing.assert_allclose(matrix, match.matrix)
    np.testing.assert_allclose(offset, match.matrix @ [5, 8] + match.offset)


@pytest.mark.parametrize("ratio", [2, 2.17])
def test_a_cut_and_upsampled_field_shows_what_the_moving_image_shows_there(ratio):
    reference, moving, matrix, offset = make_field(ratio, 2.0)
    corner = (45, 55)
    field = resample(reference[45:100, 55:110], ratio, 1.0, order=3)
    match = FieldMatch(matrix, offset, 1.0, ratio, 2.0)

    def seen_at(corner_px):
        a, b = place_in_field(match, corner_px, ratio)
        places = np.tensordot(a, np.indices(field.shape), 1) + b[:, None, None]
        # the moving image as blurred as the field
        return map_coordinates(gaussian_filter(moving, 0.87 * ratio), places, order=1)

    def r(corner_px):
        inner = np.s_[4:-4, 4:-4]
        return np.corrcoef(field[inner].ravel(), seen_at(corner_px)[inner].ravel())[0, 1]

    assert r(corner) > 0.99
    # a parabola through the neighbours has its peak within a tenth of a pixel
    for dy, dx in ((1, 0), (0, 1)):
        low, high = (r((corner[0] + s * dy, corner[1] + s * dx)) for s in (-1, 1))
        assert abs(0.5 * (high - low) / (2 * r(corner) - high - low)) < 0.1
