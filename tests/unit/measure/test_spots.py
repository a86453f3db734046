import numpy as np
import pytest

from crossres.measure import find_spots, fit_spots, isolated

FWHM_PER_SIGMA = 2.3548200450309493


def gaussian(shape, y, x, sigma_a, sigma_b, angle_degree=0.0):
    """An elliptical spot of height 1, its first axis turned from y towards x."""
    v, u = (
        axis - centre for axis, centre in zip(np.mgrid[: shape[0], : shape[1]], (y, x), strict=True)
    )
    c, s = np.cos(np.radians(angle_degree)), np.sin(np.radians(angle_degree))
    a, b = c * v + s * u, c * u - s * v
    return np.exp(-(a**2) / (2 * sigma_a**2) - b**2 / (2 * sigma_b**2))


@pytest.fixture
def field(rng):
    """Twenty-five beads 20 px apart over a Poisson background, with their places."""
    places = np.array([(y, x) for y in range(20, 101, 20) for x in range(20, 101, 20)])
    jittered = places + rng.uniform(-0.5, 0.5, places.shape)
    light = sum(80 * gaussian((121, 125), y, x, 1.7, 1.7) for y, x in jittered)
    return rng.poisson(light + 5), jittered


def test_every_spot_is_found_and_nothing_else(field):
    image, places = field
    found = find_spots(image, 4.0, threshold_sigma=8.0)
    assert len(found) == len(places)
    distance = np.hypot(*(found[:, None] - places[None]).transpose(2, 0, 1))
    assert distance.min(axis=1).max() < 1.5


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_brightest_spots_come_first(dtype):
    heights = {(15, 15): 40, (15, 45): 200, (45, 15): 120, (45, 45): 80}
    image = sum(h * gaussian((61, 61), *place, 2.0, 2.0) for place, h in heights.items())
    noise = np.random.default_rng(0).normal(20, 1.0, image.shape)
    found = find_spots((image + noise).astype(dtype), 4.7)
    assert [tuple(p) for p in found[:4].tolist()] == [(15, 45), (45, 15), (45, 45), (15, 15)]


@pytest.mark.parametrize("background", [0.0, 100.0, 30000.0])
@pytest.mark.parametrize("fwhm_px", [1.6, 4.0])
def test_noise_holds_no_spots_on_any_background(rng, background, fwhm_px):
    image = rng.normal(background, 10, (200, 200))
    assert len(find_spots(image, fwhm_px, threshold_sigma=8.0)) == 0


def test_a_constant_image_holds_no_spots():
    assert find_spots(np.full((30, 40), 7), 4.0).shape == (0, 2)


@pytest.mark.parametrize(("border_px", "count"), [(0, 25), (10, 25), (30, 9), (50, 1)])
def test_spots_near_the_border_are_left_out(field, border_px, count):
    # 121 x 125 px: of the rows and columns at 20, 40 ... 100, those within the border go
    image, _ = field
    found = find_spots(image, 4.0, 8.0, border_px)
    assert len(found) == count
    assert (found >= border_px).all()
    assert (found < np.array(image.shape) - border_px).all()


def test_isolated_spots_have_no_neighbour_within_the_distance(rng):
    positions = rng.uniform(0, 100, (60, 2))
    distance = np.hypot(*(positions[:, None] - positions[None]).transpose(2, 0, 1))
    np.fill_diagonal(distance, np.inf)
    expected = distance.min(axis=1) > 8.0
    assert 0 < expected.sum() < 60
    np.testing.assert_array_equal(isolated(positions, 8.0), expected)


@pytest.mark.parametrize("count", [0, 1])
def test_a_spot_alone_is_isolated(count):
    assert isolated(np.ones((count, 2)), 8.0).tolist() == [True] * count


@pytest.mark.parametrize("sigmas", [(1.7, 1.7), (1.2, 2.6), (4.0, 3.0)])
@pytest.mark.parametrize("angle_degree", [0.0, 30.0, 45.0, 90.0, 130.0])
@pytest.mark.parametrize("offset", [(0.0, 0.0), (0.4, -0.3)])
def test_a_gaussian_is_fitted_exactly(sigmas, angle_degree, offset):
    centre = (20 + offset[0], 23 + offset[1])
    image = 500 * gaussian((41, 50), *centre, *sigmas, angle_degree) + 30
    fit = fit_spots(image, np.array([[20, 23]]), 30.0).iloc[0]
    assert fit.fitted
    assert (fit.y_px, fit.x_px) == pytest.approx(centre, abs=1e-3)
    widths = [sigma * FWHM_PER_SIGMA * 30.0 for sigma in sigmas]
    assert fit.fwhm_nm == pytest.approx(np.sqrt(np.prod(widths)), rel=1e-3)
    assert fit.fwhm_major_nm == pytest.approx(max(widths), rel=1e-3)
    assert fit.fwhm_minor_nm == pytest.approx(min(widths), rel=1e-3)
    assert fit.peak == pytest.approx(500, rel=1e-3)
    assert fit.background == pytest.approx(30, abs=0.5)
    assert fit.residual < 1e-3


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("crop_px", [15, 19, 25])
def test_dtype_and_crop_do_not_matter(dtype, crop_px):
    image = (200 * gaussian((41, 41), 20.2, 19.7, 2.0, 2.0) + 20).astype(dtype)
    fit = fit_spots(image, np.array([[20, 20]]), 10.0, crop_px).iloc[0]
    assert fit.fwhm_nm == pytest.approx(2.0 * FWHM_PER_SIGMA * 10.0, rel=0.01)


def test_widths_under_photon_noise_are_right_on_average(field):
    image, places = field
    fits = fit_spots(image, places, 30.0)
    assert fits.fitted.all()
    assert fits.fwhm_nm.median() == pytest.approx(1.7 * FWHM_PER_SIGMA * 30.0, rel=0.03)
    error = fits[["y_px", "x_px"]].to_numpy() - places
    assert np.abs(error.mean(axis=0)).max() < 0.1


def test_a_row_for_every_position_in_order(field):
    image, places = field
    order = np.random.default_rng(1).permutation(len(places))
    fits = fit_spots(image, places[order], 30.0)
    np.testing.assert_allclose(fits[["y_px", "x_px"]], places[order], atol=0.6)


@pytest.mark.parametrize("place", [(8, 30), (30, 8), (52, 30), (30, 52)])
def test_crops_that_would_leave_the_image_are_not_fitted(place):
    image = 100 * gaussian((61, 61), *place, 2.0, 2.0)
    fit = fit_spots(image, np.array([place]), 30.0).iloc[0]
    assert not fit.fitted
    assert fit.drop("fitted").isna().all()


@pytest.mark.parametrize("place", [(9, 30), (51, 51)])
def test_crops_that_just_fit_are_fitted(place):
    image = 100 * gaussian((61, 61), *place, 2.0, 2.0)
    assert fit_spots(image, np.array([place]), 30.0).fitted.all()


@pytest.mark.parametrize("kind", ["constant", "slope", "hole", "noise"])
def test_what_is_no_spot_is_not_fitted(kind, rng):
    y, _ = np.mgrid[:41, :41]
    image = {
        "constant": np.full((41, 41), 7.0),
        "slope": 10.0 * y,
        "hole": 100 - 50 * gaussian((41, 41), 20, 20, 2.0, 2.0),
        "noise": rng.normal(100, 5, (41, 41)),
    }[kind]
    assert not fit_spots(image, np.array([[20, 20]]), 30.0).fitted.any()


def test_no_positions_give_an_empty_table():
    fits = fit_spots(np.eye(40), np.empty((0, 2)), 30.0)
    assert len(fits) == 0
    assert {"y_px", "x_px", "fwhm_nm", "peak", "background", "residual", "fitted"} <= set(fits)
