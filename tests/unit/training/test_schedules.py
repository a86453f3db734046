"""The learning rate at an iteration."""

import math
from fractions import Fraction

import pytest

from crossres.catalogue.networks import CNN
from crossres.training.schedules import rate_factor


def factors(iterations=1000, schedule="constant", halvings=4, warm_up=0):
    settings = CNN(
        iterations=iterations,
        schedule=schedule,
        halvings=halvings,
        rate_warm_up_iterations=warm_up,
    )
    return [rate_factor(settings, iteration) for iteration in range(iterations)]


def test_a_constant_rate_stays():
    assert factors() == [1.0] * 1000


def test_a_cosine_falls_from_one_to_nothing():
    found = factors(schedule="cosine")
    assert found[0] == 1.0
    assert found[500] == pytest.approx(0.5)
    assert found[250] == pytest.approx((1 + math.sqrt(0.5)) / 2)
    # half the square of the last step's angle, over two
    assert found[999] == pytest.approx((math.pi / 1000) ** 2 / 4, rel=1e-3)
    assert found == sorted(found, reverse=True)


def test_halving_four_times_has_five_equal_stretches():
    # Chen et al. 2021
    stretches = [1.0] * 200 + [0.5] * 200 + [0.25] * 200 + [0.125] * 200 + [0.0625] * 200
    assert factors(schedule="halving") == stretches


@pytest.mark.parametrize(("iterations", "halvings"), [(7, 4), (100, 9), (49, 6), (3, 5)])
def test_a_run_that_cannot_be_divided_is_halved_at_the_first_iteration_beyond(iterations, halvings):
    begins = [math.ceil(Fraction(k * iterations, halvings + 1)) for k in range(halvings + 1)]
    expected = [0.5 ** (sum(begin <= i for begin in begins) - 1) for i in range(iterations)]
    assert factors(iterations, "halving", halvings) == expected


def test_a_warm_up_grows_linearly_to_the_full_rate():
    found = factors(warm_up=4)
    assert found[:6] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    assert set(found[3:]) == {1.0}


@pytest.mark.parametrize("schedule", ["cosine", "halving"])
def test_a_warm_up_lies_over_the_schedule(schedule):
    plain, warmed = factors(20, schedule), factors(20, schedule, warm_up=10)
    grown = [min(1.0, (i + 1) / 10) for i in range(20)]
    assert warmed == pytest.approx([a * b for a, b in zip(plain, grown, strict=True)])
