"""Affine registration of spots of light drawn where an affine map says, in images and volumes."""

import numpy as np
import pytest

from crossres.registration import estimate_affine
from crossres.registration.warping import warp

SHAPE = (128, 160)
VOLUME = (10, 64, 72)
TURN = np.array([[0.0, -0.02], [0.02, 0.0]])
STILL = np.zeros((2, 2))
MAPS = {
    "shift": (STILL, (2.3, -1.7)),
    "large shift": (STILL, (-6.4, 5.2)),
    "rotation": (TURN, (0.5, 1.0)),
    "magnification": (0.02 * np.eye(2), (0.0, 0.0)),
    "all": (np.array([[0.01, 0.03], [-0.01, -0.02]]), (3.0, -4.0)),
}
VOLUME_MAPS = {
    "shift": (np.zeros((3, 3)), (1.3, 2.2, -3.1)),
    "rotation in the plane": (np.pad(TURN, ((1, 0), (1, 0))), (-0.6, 1.0, -2.0)),
    "tilt": (np.array([[0.03, 0.01, 0], [0.1, 0.01, -0.02], [0, 0.02, 0.01]]), (0.6, 1.0, -2.0)),
}


def draw(shape, places, light, sigma_px):
    """Return spots of light, Gaussian along every axis."""
    profiles = [
        np.exp(-((np.arange(n)[:, None] - place) ** 2) / (2 * sigma**2))
        for n, place, sigma in zip(shape, places, sigma_px, strict=True)
    ]
    axes = "zyx"[-len(shape) :]
    return np.einsum(
        ",".join(f"{axis}k" for axis in axes) + ",k->" + axes, *profiles, light, optimize=True
    )


def make_spots(
    shape, matrix, shift, *, seed=0, density=0.015, sigma_px=(2.0, 2.0), moving_px=None, photons=0
):
    """Return a pair: a spot at p in the reference lies at p - B (p - c) - t in the moving image.

    ``density`` is in spots a pixel of a plane, ``photons`` the brightest pixel's.
    """
    rng = np.random.default_rng(seed)
    # spots beyond the border shine in, and come in
    low, high = np.full((len(shape), 1), -16.0), np.reshape(shape, (-1, 1)) + 16.0
    count = int(density * np.prod(high - low, axis=0)[0] / (high - low)[0, 0] ** (len(shape) - 2))
    places, light = rng.uniform(low, high, (len(shape), count)), rng.lognormal(0, 0.5, count)
    middle = (np.reshape(shape, (-1, 1)) - 1) / 2
    moves = np.asarray(matrix) @ (places - middle) + np.reshape(shift, (-1, 1))
    images = (
        draw(shape, places, light, sigma_px),
        draw(shape, places - moves, light, moving_px or sigma_px),
    )
    if not photons:
        return images
    return tuple(rng.poisson(photons * image / image.max() + 10) for image in images)


def make_volumes(shape, matrix, shift, **others):
    """Return a pair of volumes; see make_spots."""
    return make_spots(shape, matrix, shift, sigma_px=(1.5, 1.6, 1.6), density=0.02, **others)


def error_px(found, matrix, shift, shape):
    """Return the root mean square distance of an affine map from the true one over an image."""
    middle = (np.reshape(shape, (-1,) + (1,) * len(shape)) - 1) / 2
    slope = np.tensordot(found.matrix - matrix, np.indices(shape) - middle, 1)
    error = slope + np.reshape(found.shift_px - np.asarray(shift), middle.shape)
    return np.sqrt((error**2).sum(0).mean())


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("seed", range(2))
def test_an_affine_map_is_found(name, seed):
    matrix, shift = MAPS[name]
    found = estimate_affine(*make_spots(SHAPE, matrix, shift, seed=seed))
    assert error_px(found, matrix, shift, SHAPE) < 0.05
    # 0.05 px over half of the shorter side
    np.testing.assert_allclose(found.matrix, matrix, atol=1.5e-3)
    np.testing.assert_allclose(found.shift_px, shift, atol=0.05)
    assert found.correlation > 0.99


def test_whichever_image_is_more_blurred():
    matrix, shift = MAPS["all"]
    for sigma, other in (((2.2, 2.2), (1.3, 1.3)), ((1.3, 1.3), (2.2, 2.2))):
        found = estimate_affine(*make_spots(SHAPE, matrix, shift, sigma_px=sigma, moving_px=other))
        assert error_px(found, matrix, shift, SHAPE) < 0.05


@pytest.mark.parametrize("name", VOLUME_MAPS)
@pytest.mark.parametrize("planes", [8, 12])
def test_an_affine_map_of_few_planes_is_found(name, planes):
    matrix, shift = VOLUME_MAPS[name]
    shape = (planes, *VOLUME[1:])
    found = estimate_affine(*make_volumes(shape, matrix, shift))
    assert abs(found.shift_px[0] - shift[0]) < 0.2
    np.testing.assert_allclose(found.shift_px[1:], shift[1:], atol=0.1)
    assert error_px(found, matrix, shift, shape) < 0.25
    assert found.correlation > 0.98


@pytest.mark.parametrize("seed", [0, 3])
def test_an_affine_map_of_a_sparse_volume_is_found(seed):
    matrix, shift = np.zeros((3, 3)), (0.6, 1.0, -2.0)
    matrix[1:, 1:] = [[0, -0.02], [0.02, 0.01]]
    pair = sparse_volumes(matrix, shift, seed)
    found = estimate_affine(*pair)
    assert error_px(found, matrix, shift, pair[0].shape) < 0.5


def sparse_volumes(matrix, shift, seed):
    """About 60 spots in and around a volume of 8 planes."""
    shape = (8, 72, 80)
    rng = np.random.default_rng(seed)
    low, high = np.full((3, 1), -12), np.reshape(shape, (-1, 1)) + 12
    places, light = rng.uniform(low, high, (3, 59)), rng.lognormal(0, 0.5, 59)
    middle = (np.reshape(shape, (-1, 1)) - 1) / 2
    moves = matrix @ (places - middle) + np.reshape(shift, (-1, 1))
    return [draw(shape, at, light, (1.5, 1.6, 1.6)) for at in (places, places - moves)]


@pytest.mark.parametrize("dims", [2, 3])
def test_the_shift_is_what_moves_the_moving_image_onto_the_reference(dims):
    shape = (9, 60, 70)[-dims:]
    at, moved = (4.0, 30.0, 36.0)[-dims:], (5.0, 26.0, 38.0)[-dims:]
    sigma = (1.5, 4.0, 4.0)[-dims:]
    pair = [draw(shape, np.reshape(p, (-1, 1)), np.ones(1), sigma) for p in (at, moved)]
    found = estimate_affine(*pair, model="shift")
    np.testing.assert_allclose(found.shift_px, np.subtract(at, moved), atol=0.15)


def test_the_matrix_multiplies_the_place_in_the_reference():
    # the moving image shows all 5 % further from the centre: it has to move inwards
    matrix = -0.05 * np.eye(2)
    pair = make_spots(SHAPE, matrix, (0, 0))
    found = estimate_affine(*pair)
    np.testing.assert_allclose(found.matrix, matrix, atol=2e-3)
    before, after = (
        np.corrcoef(pair[0][8:-8, 8:-8].ravel(), image[8:-8, 8:-8].ravel())[0, 1]
        for image in (pair[1], warp(pair[1], found.displacement(SHAPE)))
    )
    assert before < 0.9 < 0.995 < after


def test_the_displacement_is_the_shift_in_the_middle_and_linear_about_it():
    found = estimate_affine(*make_spots((65, 97), MAPS["all"][0], (1.0, 2.0)))
    field = found.displacement((65, 97))
    assert field.shape == (2, 65, 97)
    assert field.dtype == np.float32
    np.testing.assert_allclose(field[:, 32, 48], found.shift_px, atol=1e-5)
    away = field[:, 2, 91] - field[:, 32, 48]
    np.testing.assert_allclose(away, found.matrix @ [-30, 43], atol=1e-4)


@pytest.mark.parametrize("model", ["affine", "shift"])
@pytest.mark.parametrize("shape", [SHAPE, (8, 64, 72)])
def test_an_image_lies_on_itself(shape, model):
    make = make_spots if len(shape) == 2 else make_volumes
    image, _ = make(shape, np.zeros((len(shape),) * 2), np.zeros(len(shape)), photons=200)
    found = estimate_affine(image, image, model=model)
    assert error_px(found, 0 * found.matrix, 0 * found.shift_px, shape) <= 0.01
    assert found.error_px <= 0.01
    assert found.correlation == pytest.approx(1)
    assert found.overlap == pytest.approx((1.0,) * len(shape), abs=0.02)


def test_a_shift_alone_leaves_the_matrix_0():
    matrix, shift = MAPS["rotation"]
    found = estimate_affine(*make_spots(SHAPE, matrix, shift), model="shift")
    assert not found.matrix.any()
    np.testing.assert_allclose(found.shift_px, shift, atol=0.3)


@pytest.mark.parametrize("photons", [30, 300])
@pytest.mark.parametrize("seed", range(3))
def test_the_estimated_error_is_about_the_true_one(seed, photons):
    matrix, shift = MAPS["all"]
    pair = make_spots(SHAPE, matrix, shift, seed=seed, photons=photons)
    found = estimate_affine(*pair)
    true = error_px(found, matrix, shift, SHAPE)
    assert true / 4 < found.error_px < 4 * true


def test_fewer_photons_mean_a_larger_estimated_error():
    few, many = (
        estimate_affine(*make_spots(SHAPE, *MAPS["rotation"], photons=n)).error_px
        for n in (20, 2000)
    )
    assert few > 2 * many


@pytest.mark.parametrize("dz", [3.5, -4.5])
def test_the_overlap_is_stated_where_depths_meet_only_partly(dz):
    # both are cut from one longer volume; the least place of the moving image is its first plane
    shape, shift = (12, 64, 72), (dz, 2.5, -1.5)
    found = estimate_affine(*make_volumes(shape, np.zeros((3, 3)), shift), model="shift")
    assert abs(found.shift_px[0] - dz) < 0.2
    covered = [(n - np.ceil(abs(s))) / n for n, s in zip(shape, shift, strict=True)]
    assert found.overlap == pytest.approx(covered)
    assert found.correlation > 0.95


def test_a_start_is_taken_from_the_caller():
    # rows of spots alike: the start says which of them lies on which
    y, x = np.mgrid[8:128:16, 8:160:16].reshape(2, -1).astype(float)
    image = draw(SHAPE, np.stack([y, x]), np.ones(y.size), (2.5, 2.5))
    for start in ((0.0, 0.0), (16.0, 0.0), (0.0, -16.0)):
        near = np.add(start, (0.7, -0.6))
        found = estimate_affine(image, image, model="shift", initial_shift_px=tuple(near))
        np.testing.assert_allclose(found.shift_px, start, atol=0.1)


def test_gain_and_offset_of_a_detector_do_not_matter():
    reference, moving = make_spots(SHAPE, *MAPS["all"])
    one, other = (estimate_affine(reference, m) for m in (moving, 300 * moving + 7))
    np.testing.assert_allclose(other.shift_px, one.shift_px, atol=1e-3)
    np.testing.assert_allclose(other.matrix, one.matrix, atol=1e-5)


def test_the_same_again_is_the_same():
    pair = make_spots(SHAPE, *MAPS["all"], photons=100)
    one, other = estimate_affine(*pair), estimate_affine(*pair)
    np.testing.assert_array_equal(one.matrix, other.matrix)
    np.testing.assert_array_equal(one.shift_px, other.shift_px)
    assert one.error_px == other.error_px


@pytest.mark.parametrize("seed", range(2))
def test_of_different_samples_the_correlation_is_low(seed):
    first, _ = make_spots(SHAPE, STILL, (0, 0), seed=seed)
    second, _ = make_spots(SHAPE, STILL, (0, 0), seed=seed + 10)
    assert estimate_affine(first, second, initial_shift_px=(0.0, 0.0)).correlation < 0.5


def test_an_empty_image_does_not_correlate():
    image, _ = make_spots(SHAPE, STILL, (0, 0))
    assert estimate_affine(image, np.zeros(SHAPE)).correlation == 0.0


def test_of_an_empty_image_the_error_is_not_small():
    image, _ = make_spots(SHAPE, STILL, (0, 0))
    assert not estimate_affine(image, np.zeros(SHAPE)).error_px < 1


def test_where_nothing_overlaps_the_error_is_not_small():
    pair = make_spots(SHAPE, *MAPS["all"])
    found = estimate_affine(*pair, initial_shift_px=(500.0, 0.0))
    assert not any(found.overlap)
    assert not found.error_px < 1


def test_what_cannot_be_registered_is_refused():
    with pytest.raises(ValueError, match=r"shapes differ: \(64, 64\) and \(64, 65\)"):
        estimate_affine(np.zeros((64, 64)), np.zeros((64, 65)))
    with pytest.raises(ValueError, match="'rigid'; it can be affine or shift"):
        estimate_affine(np.zeros((64, 64)), np.zeros((64, 64)), model="rigid")
