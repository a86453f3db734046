import numpy as np
import pytest

from crossres.measure import main_peak


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("centre", "sigma"), [(120.0, 10.0), (290.0, 25.0), (0.0, 1.0)])
def test_a_normal_distribution_is_its_own_main_peak(centre, sigma, seed):
    values = np.random.default_rng(seed).normal(centre, sigma, 2000)
    peak = main_peak(values)
    assert peak.centre == pytest.approx(centre, abs=0.12 * sigma)
    assert peak.sigma == pytest.approx(sigma, rel=0.12)
    # so many values a bin, at the top of the bell
    expected = 2000 * np.diff(peak.edges)[0] / (sigma * np.sqrt(2 * np.pi))
    assert peak.height == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize("outliers", [(300.0, 900.0), (1e4, 1e6), (10.0, 40.0)])
def test_outliers_are_left_out(outliers):
    chance = np.random.default_rng(3)
    values = np.concatenate([chance.normal(120, 10, 450), chance.uniform(*outliers, 50)])
    peak = main_peak(values)
    assert peak.centre == pytest.approx(120, abs=2.0)
    assert peak.sigma == pytest.approx(10, rel=0.2)


@pytest.mark.parametrize("second", [152.0, 190.0])
def test_of_two_peaks_the_higher_counts(second):
    chance = np.random.default_rng(4)
    values = np.concatenate([chance.normal(120, 6, 1200), chance.normal(second, 6, 600)])
    peak = main_peak(values)
    assert peak.centre == pytest.approx(120, abs=1.5)
    assert peak.sigma == pytest.approx(6, rel=0.2)


def test_values_that_are_not_numbers_are_left_out(rng):
    values = rng.normal(120, 10, 500)
    with_nan = np.concatenate([values, [np.nan] * 50, [np.inf] * 3])
    assert main_peak(with_nan).centre == pytest.approx(main_peak(values).centre)


@pytest.mark.parametrize("values", [[], [120.0] * 7, [120.0] * 7 + [np.nan] * 5])
def test_fewer_than_eight_values_have_no_peak(values):
    assert main_peak(np.array(values)) is None


@pytest.mark.parametrize("count", [8, 9, 27, 64, 125, 216, 500, 1000])
def test_any_number_of_values_has_a_histogram(count):
    for seed in range(50):
        values = np.random.default_rng(seed).normal(120, 10, count)
        peak = main_peak(values)
        expected, _ = np.histogram(values, peak.edges)
        np.testing.assert_array_equal(peak.counts, expected)
        assert (np.diff(peak.edges) > 0).all()
        assert 120 - 20 < peak.centre < 120 + 20


@pytest.mark.parametrize("value", [120.0, -3.5])
def test_values_all_alike_are_the_peak(value):
    assert main_peak(np.full(20, value)).centre == pytest.approx(value, rel=1e-5)
