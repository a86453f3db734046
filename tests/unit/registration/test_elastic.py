import numpy as np
import pytest
from deformed_pairs import constant, displacement_map, linear, make_pair, rms_px, waves

from crossres.registration.elastic import estimate_displacement, register_elastic
from crossres.registration.warping import warp

SHAPE = (256, 256)
TURN = np.deg2rad(0.3)
ROTATION = [[np.cos(TURN) - 1, -np.sin(TURN)], [np.sin(TURN), np.cos(TURN) - 1]]


@pytest.fixture(scope="module")
def wavy():
    """A pair with its displacement, and what is estimated from it."""
    displacement = waves(SHAPE, 0, 2.0, (300, 600))
    pair = make_pair(SHAPE, displacement)
    return *pair, displacement_map(displacement, SHAPE), estimate_displacement(*pair)


@pytest.mark.parametrize(
    "displacement",
    [
        constant(2.3, -1.7),
        constant(-6.4, 5.2),
        linear(ROTATION, SHAPE),
        linear(0.005 * np.eye(2), SHAPE),
        waves(SHAPE, 1, 2.0, (300, 600)),
        waves(SHAPE, 2, 3.0, (400, 900)),
    ],
    ids=["shift", "large shift", "rotation", "magnification", "waves", "large waves"],
)
def test_a_known_displacement_is_found(displacement):
    estimate = estimate_displacement(*make_pair(SHAPE, displacement))
    true = displacement_map(displacement, SHAPE)
    assert rms_px(estimate.displacement, true) < 0.05
    assert estimate.texture == 1.0
    # the wrong sign would be twice as far off as nothing at all
    assert rms_px(-estimate.displacement, true) > 1.5 * rms_px(0 * true, true)


@pytest.mark.parametrize("shape", [(203, 317), (128, 301)])
def test_sides_may_be_odd_and_unequal(shape):
    displacement = waves(shape, 0, 2.0, (300, 600))
    estimate = estimate_displacement(*make_pair(shape, displacement))
    assert estimate.displacement.shape == (2, *shape)
    assert estimate.error_px.shape == shape
    assert rms_px(estimate.displacement, displacement_map(displacement, shape)) < 0.08


@pytest.mark.parametrize("seed", range(3))
def test_the_smallest_images(seed):
    shift = constant(0.7, -1.2)
    estimate = estimate_displacement(*make_pair((64, 64), shift, seed=seed))
    assert rms_px(estimate.displacement, displacement_map(shift, (64, 64)), 4) < 0.3


@pytest.mark.parametrize("seed", [0, 2])
def test_a_very_smooth_field_is_no_less_exact(seed):
    shift = constant(0.7, -1.2)
    estimate = estimate_displacement(*make_pair((128, 128), shift, seed=seed))
    assert rms_px(estimate.displacement, displacement_map(shift, (128, 128)), 4) < 0.1


def test_an_image_lies_on_itself(wavy):
    estimate = estimate_displacement(wavy[0], wavy[0])
    assert np.abs(estimate.displacement).max() <= 0.01
    assert estimate.rms_px <= 0.01


def test_of_images_of_different_samples_nothing_is_believed():
    first, _ = make_pair(SHAPE, constant(0, 0), seed=0)
    _, second = make_pair(SHAPE, constant(0, 0), seed=1)
    expect_nothing(estimate_displacement(first, second))


@pytest.mark.parametrize("seed", range(3))
def test_of_noise_nothing_is_believed(seed):
    expect_nothing(estimate_displacement(*np.random.default_rng(seed).poisson(100, (2, *SHAPE))))


def test_of_an_empty_image_nothing_is_believed(wavy):
    expect_nothing(estimate_displacement(wavy[0], np.full(SHAPE, 30.0)))
    expect_nothing(estimate_displacement(np.zeros(SHAPE), np.zeros(SHAPE)))


def expect_nothing(estimate):
    assert np.isinf(estimate.error_px).all()
    assert np.isinf(estimate.rms_px)
    assert estimate.texture == 0.0
    assert not estimate.displacement.any()


def test_of_an_empty_image_every_error_is_infinite(wavy):
    estimate = estimate_displacement(wavy[0], np.zeros(SHAPE))
    assert np.isinf(estimate.p95_px)


@pytest.mark.parametrize(("gain", "offset"), [(0.01, 0.0), (250.0, -40.0), (1.0, 3e4)])
def test_gain_and_offset_of_a_detector_do_not_matter(wavy, gain, offset):
    reference, moving, _, expected = wavy
    found = estimate_displacement(reference, moving * gain + offset)
    np.testing.assert_allclose(found.displacement, expected.displacement, atol=5e-3)


@pytest.mark.parametrize("sigma_px", [(1.5, 1.5), (1.3, 2.2), (3.0, 1.2)])
def test_whichever_image_is_more_blurred(wavy, sigma_px):
    true = wavy[2]
    pair = make_pair(SHAPE, waves(SHAPE, 0, 2.0, (300, 600)), sigma_px=sigma_px)
    assert rms_px(estimate_displacement(*pair).displacement, true) < 0.07


def test_texture_is_the_part_of_the_field_that_shows_something(wavy):
    assert wavy[3].texture == 1.0
    shift = constant(1.3, -0.8)
    estimate = estimate_displacement(*make_pair(SHAPE, shift, covered=0.5))
    assert 0.25 <= estimate.texture <= 0.75
    true = displacement_map(shift, SHAPE)
    assert rms_px(estimate.displacement[:, :, :128], true[:, :, :128]) < 0.1


@pytest.mark.parametrize(
    ("photons", "least", "most"), [(2, 0, 0), (5, 0, 0.1), (10, 0.1, 0.6), (20, 0.6, 1), (50, 1, 1)]
)
def test_there_is_as_much_texture_as_there_is_light(photons, least, most):
    # the true error falls from 5 px to 1, 0.25 and 0.1 px from 5 to 10, 20 and 50 photons
    pair = make_pair(SHAPE, constant(1, 1), peak_photons=photons)
    assert least <= estimate_displacement(*pair).texture <= most


@pytest.mark.parametrize("photons", [100, 300, 3000])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_estimated_error_is_about_the_true_one(photons, seed):
    displacement = waves(SHAPE, seed, 2.0, (300, 600))
    pair = make_pair(SHAPE, displacement, peak_photons=photons, seed=seed)
    estimate = estimate_displacement(*pair)
    error = rms_px(estimate.displacement, displacement_map(displacement, SHAPE), 1)
    assert error / 3 < estimate.rms_px < 3 * error
    assert estimate.p95_px >= np.median(estimate.error_px)


def test_fewer_photons_mean_a_larger_estimated_error():
    few, many = (
        estimate_displacement(*make_pair(SHAPE, constant(1, 2), peak_photons=photons)).rms_px
        for photons in (100, 10_000)
    )
    assert few > 1.5 * many


def test_the_same_again_is_the_same(wavy):
    again = estimate_displacement(wavy[0], wavy[1])
    np.testing.assert_array_equal(again.displacement, wavy[3].displacement)
    np.testing.assert_array_equal(again.error_px, wavy[3].error_px)
    assert again.texture == wavy[3].texture


@pytest.mark.parametrize("dtype", [np.float64, np.uint16, ">u2"])
def test_every_dtype_gives_the_same_displacement(wavy, dtype):
    reference, moving, _, expected = wavy
    found = estimate_displacement(reference.round().astype(dtype), moving.round().astype(dtype))
    assert found.displacement.dtype == found.error_px.dtype == np.float32
    np.testing.assert_allclose(found.displacement, expected.displacement, atol=5e-3)


@pytest.mark.parametrize("scheme", ["spline", "blocks"])
def test_the_image_is_warped_once_by_the_field_that_is_returned(wavy, scheme):
    reference, moving, true, _ = wavy
    warped, displacement = register_elastic(reference, moving, scheme=scheme)
    assert warped.dtype == displacement.dtype == np.float32
    np.testing.assert_array_equal(warped, warp(moving, displacement))
    assert rms_px(displacement, true) < 0.2
    before, after = (
        np.corrcoef(reference[8:-8, 8:-8].ravel(), image[8:-8, 8:-8].ravel())[0, 1]
        for image in (moving, warped)
    )
    assert after > before


def test_what_cannot_be_registered_is_refused():
    with pytest.raises(ValueError, match=r"\(64, 64\), \(64, 65\)"):
        estimate_displacement(np.zeros((64, 64)), np.zeros((64, 65)))
    with pytest.raises(ValueError, match=r"expected two \(Y, X\)"):
        estimate_displacement(np.zeros((4, 64, 64)), np.zeros((4, 64, 64)))
    with pytest.raises(ValueError, match="at least 64"):
        estimate_displacement(np.zeros((63, 200)), np.zeros((63, 200)))
    with pytest.raises(ValueError, match="'pyramid'; it can be spline or blocks"):
        register_elastic(np.zeros((64, 64)), np.zeros((64, 64)), scheme="pyramid")
