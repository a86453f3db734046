import json

import numpy as np
import pytest

from crossres.simulate.distortion import Distortion, draw_distortion

TILE_PX = 384
GRID = np.linspace(-191.5, 191.5, 21)


def distortion(amount_px=0.6, shift_px=(0.0, 0.0), objective=3, channel=8):
    objective_rng, filter_rng = (np.random.default_rng(seed) for seed in (objective, channel))
    return draw_distortion(TILE_PX, amount_px, shift_px, objective_rng, filter_rng)


def over_the_tile(found):
    return found.offset_px(GRID[:, None], GRID[None, :])


@pytest.mark.parametrize("amount_px", [0.6, 4.0])
@pytest.mark.parametrize("objective", range(5))
def test_the_amount_is_reached_at_a_corner_and_nowhere_passed(amount_px, objective):
    length = np.hypot(*over_the_tile(distortion(amount_px, objective=objective)))
    corners = length[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert corners.max() == pytest.approx(amount_px)
    assert length.max() == pytest.approx(amount_px, rel=0.02)


@pytest.mark.parametrize("objective", range(5))
def test_it_is_mostly_radial_and_grows_with_the_cube_of_the_radius(objective):
    found = distortion(objective=objective)
    y, x = GRID[:, None] + 0 * GRID, GRID[None, :] + 0 * GRID[:, None]
    radius = np.hypot(y, x)
    cubic = np.stack([y, x]) * radius**2
    offset = found.offset_px(y, x)
    part = (offset * cubic).sum() ** 2 / (offset**2).sum() / (cubic**2).sum()
    assert part > 0.6
    near, far = (np.abs(found.offset_px(r, r) - found.offset_px(-r, -r)) for r in (50.0, 100.0))
    np.testing.assert_allclose(far / near, 8.0)


def test_the_centre_stays_but_for_the_filter():
    assert (distortion().offset_px(0.0, 0.0) == 0).all()
    np.testing.assert_array_equal(distortion(shift_px=(0.4, -0.7)).offset_px(0, 0), [0.4, -0.7])


def test_a_filter_shifts_the_whole_tile():
    moved, still = (over_the_tile(distortion(shift_px=s)) for s in ((0.4, -0.7), (0.0, 0.0)))
    np.testing.assert_allclose(moved[0] - still[0], 0.4)
    np.testing.assert_allclose(moved[1] - still[1], -0.7)


def test_without_distortion_nothing_moves():
    assert not over_the_tile(distortion(0.0)).any()


def test_filters_of_an_objective_differ_a_little_and_objectives_much():
    first = over_the_tile(distortion())
    other_filter = over_the_tile(distortion(channel=9)) - first
    other_objective = over_the_tile(distortion(objective=4)) - first
    size = np.sqrt((first**2).mean())
    assert 0.005 * size < np.sqrt((other_filter**2).mean()) < 0.2 * size
    assert np.sqrt((other_objective**2).mean()) > 0.2 * size


def test_the_same_chance_gives_the_same():
    assert distortion() == distortion()


@pytest.mark.parametrize("shape", [(), (7,), (4, 5)])
def test_any_shape_of_coordinates(shape):
    assert distortion().offset_px(np.zeros(shape), np.ones(shape)).shape == (2, *shape)


def test_a_json_file_keeps_it():
    found = distortion(shift_px=(0.4, -0.7))
    assert Distortion.from_dict(json.loads(json.dumps(found.to_dict()))) == found
