import numpy as np
import pytest

from crossres.measure.pairs import find_pairs, pair_profile, peak_to_peak


def spots(shape, places, fwhm_px, heights=None):
    y, x = np.mgrid[: shape[0], : shape[1]]
    heights = heights or [100.0] * len(places)
    return sum(
        h * 2.0 ** (-4 * ((y - v) ** 2 + (x - u) ** 2) / fwhm_px**2)
        for h, (v, u) in zip(heights, places, strict=True)
    )


def test_a_pair_alone_is_found():
    positions = np.array([[10, 10], [10, 16], [60, 60]])
    assert find_pairs(positions, 5.0, 10.0).tolist() == [[0, 1]]


@pytest.mark.parametrize(("distance", "found"), [(4.9, 0), (5.1, 1), (9.9, 1), (10.1, 0)])
def test_distance_within_a_pair(distance, found):
    positions = np.array([[10.0, 10.0], [10.0, 10.0 + distance]])
    assert len(find_pairs(positions, 5.0, 10.0)) == found


@pytest.mark.parametrize(("away", "found"), [(19.0, 0), (21.0, 1)])
def test_a_third_within_twice_the_distance_spoils_the_pair(away, found):
    # counted from the middle of the pair
    positions = np.array([[50.0, 46.0], [50.0, 54.0], [50.0 + away, 50.0]])
    assert len(find_pairs(positions, 5.0, 10.0)) == found


def test_a_neighbour_too_close_spoils_the_pair_as_well():
    positions = np.array([[50.0, 50.0], [50.0, 58.0], [50.0, 51.0]])
    assert len(find_pairs(positions, 5.0, 10.0)) == 0


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_positions_have_no_pair(count):
    assert find_pairs(np.ones((count, 2)), 5.0, 10.0).shape == (0, 2)


@pytest.mark.parametrize("second", [(20, 32), (29, 20), (27, 27), (14, 25)])
def test_profile_runs_from_the_first_to_the_second(second):
    # on a plane that rises along y and x the values are known everywhere
    y, x = np.mgrid[:50, :55]
    distance, value = pair_profile(2.0 * y - 3.0 * x, np.array([20, 20]), np.array(second), 6.0)
    along = np.subtract(second, 20) / np.hypot(*np.subtract(second, 20))
    middle = (20 + np.array(second)) / 2
    expected = [2.0, -3.0] @ (middle[:, None] + along[:, None] * distance)
    np.testing.assert_allclose(value, expected, atol=1e-6)
    half = np.hypot(*np.subtract(second, 20)) / 2
    assert (distance[0], distance[-1]) == pytest.approx((-half - 6, half + 6))


def test_profile_is_averaged_over_three_pixels_across():
    # x^2 averaged over -1, 0, 1 is two thirds more than in the middle
    image = np.arange(-15, 16)[None, :] ** 2 * np.ones((41, 1))
    _, value = pair_profile(image, np.array([15, 15]), np.array([25, 15]), 4.0)
    np.testing.assert_allclose(value, 2 / 3, atol=1e-6)


@pytest.mark.parametrize("angle_degree", [0, 30, 45, 90, 200])
@pytest.mark.parametrize("distance_px", [7.0, 9.0])
@pytest.mark.parametrize("heights", [[100.0, 100.0], [60.0, 100.0]])
def test_two_spots_are_as_far_apart_as_they_were_put(angle_degree, distance_px, heights):
    angle = np.radians(angle_degree)
    step = distance_px / 2 * np.array([np.sin(angle), np.cos(angle)])
    places = [30.0 - step, 31.0 + step - [1.0, 1.0]]
    image = 10 + spots((61, 61), places, 3.5, heights)
    profile = pair_profile(image, *places, 8.0)
    # maxima are found to a fifth of a pixel each; the foot of one spot draws the other nearer
    assert peak_to_peak(*profile, 3.5) == pytest.approx(distance_px, abs=0.5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_dtype_does_not_matter(dtype):
    places = [np.array([20.0, 16.0]), np.array([20.0, 24.0])]
    image = spots((41, 41), places, 4.0).astype(dtype)
    assert peak_to_peak(*pair_profile(image, *places, 8.0), 4.0) == pytest.approx(8.0, abs=0.5)


@pytest.mark.parametrize("fwhm_px", [10.0, 14.0])
def test_spots_wider_than_their_distance_are_not_resolved(fwhm_px):
    places = [np.array([30.0, 27.0]), np.array([30.0, 34.0])]
    profile = pair_profile(spots((61, 61), places, fwhm_px), *places, 8.0)
    assert np.isnan(peak_to_peak(*profile, 4.0))


def test_one_spot_is_no_pair():
    places = [np.array([30.0, 26.0]), np.array([30.0, 34.0])]
    profile = pair_profile(spots((61, 61), places[:1], 4.0), *places, 8.0)
    assert np.isnan(peak_to_peak(*profile, 4.0))


def test_a_second_spot_that_hardly_shows_is_no_spot():
    places = [np.array([30.0, 26.0]), np.array([30.0, 34.0])]
    profile = pair_profile(spots((61, 61), places, 4.0, [100.0, 20.0]), *places, 8.0)
    assert np.isnan(peak_to_peak(*profile, 4.0))


def test_an_empty_profile_is_not_resolved():
    assert np.isnan(peak_to_peak(np.linspace(-9, 9, 91), np.full(91, 5.0), 4.0))


def test_noise_on_one_wide_spot_makes_no_second():
    places = [np.array([30.0, 27.0]), np.array([30.0, 34.0])]
    wide = spots((61, 61), [(30.0, 30.5)], 12.0)
    for seed in range(20):
        noisy = wide + 4 * np.random.default_rng(seed).normal(size=wide.shape)
        assert np.isnan(peak_to_peak(*pair_profile(noisy, *places, 8.0), 4.0))
