import numpy as np
import pandas as pd
import pytest

from crossres.samples import SAMPLES
from crossres.samples.drawing.nuclei import (
    chromatin_density,
    draw_haze,
    place_nuclei,
    place_puncta,
)

DENSITY_PER_UM2 = 20.0
FIELD_NM = 40e3


@pytest.fixture
def nuclei(rng):
    return place_nuclei(FIELD_NM, rng)


@pytest.fixture
def puncta(nuclei, rng):
    return placed(nuclei, DENSITY_PER_UM2, rng)


def placed(nuclei, puncta_per_um2, rng):
    """A row a punctum: its place and its nucleus."""
    places, nucleus = place_puncta(nuclei, puncta_per_um2, rng)
    return pd.DataFrame({"y_nm": places[:, 0], "x_nm": places[:, 1], "nucleus": nucleus})


def round_nucleus(*nucleoli, radius_nm=6000.0):
    """One circular nucleus with an even rim, its centre at (10, 12) um."""
    row = {"y_nm": 10e3, "x_nm": 12e3, "long_nm": radius_nm, "short_nm": radius_nm, "angle": 0.0,
           "rim": np.zeros(5), "phase": np.zeros(5),
           "nucleoli": np.array(nucleoli).reshape(-1, 3)}  # fmt: skip
    return pd.DataFrame([row])


def within_ellipse(nucleus, table):
    """Distance from the centre, 1 on the ellipse without its irregular rim."""
    dy, dx = table.y_nm - nucleus.y_nm, table.x_nm - nucleus.x_nm
    turn = np.exp(-1j * nucleus.angle) * (dx + 1j * dy)
    return np.hypot(turn.to_numpy().real / nucleus.long_nm, turn.to_numpy().imag / nucleus.short_nm)


def in_nucleolus(nucleus, table, part=1.0):
    """True where a punctum lies within this part of the radius of any nucleolus."""
    return np.any(
        [np.hypot(table.y_nm - y, table.x_nm - x) < part * r for y, x, r in nucleus.nucleoli],
        axis=0,
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_nucleus_lies_near_the_middle_and_none_overlap(seed):
    nuclei = place_nuclei(FIELD_NM, np.random.default_rng(seed))
    assert np.hypot(nuclei.y_nm[0] - 20e3, nuclei.x_nm[0] - 20e3) < 5e3
    for i, one in nuclei.iterrows():
        for _, other in nuclei.iloc[:i].iterrows():
            apart_nm = np.hypot(one.y_nm - other.y_nm, one.x_nm - other.x_nm)
            assert apart_nm > one.long_nm + other.long_nm


def test_nuclei_are_as_large_as_those_of_hela_cells(rng):
    nuclei = pd.concat([place_nuclei(FIELD_NM, rng) for _ in range(5)])
    assert (2 * nuclei.short_nm).between(10e3, 15.3e3).all()
    assert (2 * nuclei.long_nm).between(11e3, 15.3e3).all()
    assert (nuclei.short_nm < nuclei.long_nm).all()


def test_puncta_lie_in_their_nucleus_alone(nuclei, puncta):
    assert len(nuclei) > 3
    for number, nucleus in enumerate(nuclei.itertuples()):
        distance = within_ellipse(nucleus, puncta[puncta.nucleus == number])
        # the rim waves by some hundredths, its edge is soft
        assert distance.max() < 1.25
        assert np.mean(distance < 1.0) > 0.9


def test_the_number_of_puncta_is_the_density_times_the_area(nuclei, puncta):
    area_um2 = sum(
        np.pi * n.long_nm * n.short_nm * (1 + np.sum(n.rim**2) / 2) / 1e6
        - np.pi * np.sum(n.nucleoli[:, 2] ** 2) / 1e6
        for n in nuclei.itertuples()
    )
    # nucleoli may overlap, and the uneven density does not come to its mean in every nucleus
    assert len(puncta) / len(nuclei) > 800
    assert len(puncta) == pytest.approx(20.0 * area_um2, rel=0.12)


def test_nucleoli_lie_well_within_their_nucleus(nuclei):
    for nucleus in nuclei.itertuples():
        centres = pd.DataFrame(nucleus.nucleoli, columns=["y_nm", "x_nm", "radius_nm"])
        assert within_ellipse(nucleus, centres).max() < 0.63
        assert 2 <= len(centres) <= 4


def test_nucleoli_are_nearly_empty(nuclei, puncta):
    for number, nucleus in enumerate(nuclei.itertuples()):
        own = puncta[puncta.nucleus == number]
        radii_um = nucleus.nucleoli[:, 2] / 1e3
        # the inner four fifths of the radius, clear of the soft edge
        inside = in_nucleolus(nucleus, own, 0.8).sum()
        assert inside < 0.15 * 20.0 * np.pi * np.sum((0.8 * radii_um) ** 2)


def test_brightness_is_one_on_average_with_the_spread_asked(rng):
    sample = SAMPLES["nuclear_puncta"](kind="nuclear_puncta", brightness_spread=0.6)
    brightness = sample.emitters((0.0, FIELD_NM, FIELD_NM), rng).brightness
    # 7,000 of them at least: a standard error of 0.8 %
    assert brightness.mean() == pytest.approx(1.0, abs=0.03)
    assert np.log(brightness).std() == pytest.approx(0.6, abs=0.02)


def test_the_density_is_uneven_over_micrometres(rng):
    nucleus = round_nucleus(radius_nm=7500.0)
    puncta = placed(nucleus, 60.0, rng)
    inside = puncta[within_ellipse(next(nucleus.itertuples()), puncta) < 0.65]
    counts, *_ = np.histogram2d(inside.y_nm, inside.x_nm, bins=6, range=[[7e3, 13e3], [9e3, 15e3]])
    # an even scatter would have the variance of Poisson's law
    assert counts.var() > 3 * counts.mean()


def test_haze_fills_a_nucleus_and_fades_outside():
    haze = draw_haze(round_nucleus((10e3, 9e3, 1500.0)), (160, 240), 100.0, np.zeros(2))
    assert haze[100, 140] == pytest.approx(1.0, abs=0.01)
    assert haze[100, 90] < 0.25
    assert haze[100, 200] < 0.01
    # at the rim, between these two pixels, half
    assert haze[100, 179:181].mean() == pytest.approx(0.5, abs=0.02)


def test_haze_is_drawn_from_the_corner_given():
    whole = draw_haze(round_nucleus(), (160, 240), 100.0, np.zeros(2))
    part = draw_haze(round_nucleus(), (100, 120), 100.0, np.array([3000.0, 5000.0]))
    # the blur repeats the border, which the whole image does not have there
    inner = np.s_[20:-20, 20:-20]
    np.testing.assert_allclose(part[inner], whole[30:130, 50:170][inner], atol=1e-3)


def test_chromatin_ends_at_the_waving_rim():
    nucleus = round_nucleus()
    nucleus.at[0, "rim"] = np.array([0.1, 0, 0, 0, 0])
    row = next(nucleus.itertuples())
    # the wave of order 2 bulges along x and pulls in along y
    assert chromatin_density(row, np.array(10e3), np.array(12e3 + 6400)) > 0.9
    assert chromatin_density(row, np.array(10e3 + 5700), np.array(12e3)) < 0.1
