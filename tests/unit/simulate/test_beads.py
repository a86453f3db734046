import numpy as np
import pandas as pd
import pytest
from crossres.simulate.beads import render_beads

from crossres.optics.radial import radius_grid
from crossres.simulate import place_beads

SETTINGS = {"density_per_um2": 1.0, "pair_fraction": 0.3, "pair_distance_nm": [130, 290],
            "brightness_spread": 0.3}  # fmt: skip
PROFILE = 2.0 ** (-((2 * radius_grid() / 200.0) ** 2))


def beads_at(*rows):
    return pd.DataFrame(rows, columns=["y_nm", "x_nm", "brightness"])


def rendered(beads, shape, pixel_nm):
    """The same sum of Gaussians of 200 nm FWHM, pixel by pixel."""
    y, x = ((np.arange(n) + 0.5) * pixel_nm for n in shape)
    image = np.zeros(shape)
    for y_nm, x_nm, brightness in beads.to_numpy():
        squared = (y[:, None] - y_nm) ** 2 + (x[None, :] - x_nm) ** 2
        image += brightness * 2.0 ** (-4 * squared / 200.0**2)
    return image


def test_density_without_pairs(rng):
    beads = place_beads(60e3, {**SETTINGS, "pair_fraction": 0.0}, rng)
    # a Poisson number of mean 3600
    assert len(beads) == pytest.approx(3600, abs=5 * 60)
    assert (beads.pair == -1).all()


def test_beads_lie_inside_the_field_and_fill_it_evenly(rng):
    beads = place_beads(60e3, SETTINGS, rng)
    for axis in ("y_nm", "x_nm"):
        assert beads[axis].between(0, 60e3, inclusive="left").all()
        counts, _ = np.histogram(beads[axis], bins=4, range=(0, 60e3))
        np.testing.assert_allclose(counts / len(beads), 0.25, atol=0.03)


def test_pairs_have_two_beads_within_the_distances_asked(rng):
    beads = place_beads(60e3, SETTINGS, rng)
    pairs = [pair for number, pair in beads.groupby("pair") if number >= 0 and len(pair) == 2]
    # 30 % of about 3600 get a neighbour; few of those fall outside
    assert len(pairs) == pytest.approx(0.3 * 3600, rel=0.12)
    distances = [np.hypot(*np.diff(pair[["y_nm", "x_nm"]].to_numpy(), axis=0)[0]) for pair in pairs]
    assert min(distances) >= 130
    assert max(distances) <= 290
    assert np.mean(distances) == pytest.approx(210, abs=5)


def test_brightness_is_one_on_average_with_the_spread_asked(rng):
    brightness = place_beads(100e3, SETTINGS, rng).brightness
    assert brightness.mean() == pytest.approx(1.0, abs=0.02)
    assert np.log(brightness).std() == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize("shape", [(40, 40), (31, 44)])
@pytest.mark.parametrize("pixel_nm", [30.0, 65.0])
def test_every_bead_is_drawn_at_its_exact_place(shape, pixel_nm):
    height, width = (n * pixel_nm for n in shape)
    beads = beads_at((0.31 * height, 0.62 * width, 1.0), (0.5 * height, 0.5 * width, 0.4))
    found = render_beads(beads, PROFILE, shape, pixel_nm)
    # the profile is cut off where it has fallen to a thousandth
    np.testing.assert_allclose(found, rendered(beads, shape, pixel_nm), atol=2.5e-3)


@pytest.mark.parametrize("place", [(0.0, 0.0), (1199.0, 3.0), (600.0, 1199.9)])
def test_beads_at_the_border_are_drawn_as_far_as_they_are_seen(place):
    beads = beads_at((*place, 1.0))
    found = render_beads(beads, PROFILE, (40, 40), 30.0)
    np.testing.assert_allclose(found, rendered(beads, (40, 40), 30.0), atol=1.5e-3)


def test_a_bead_on_a_pixels_centre_has_its_brightness_there():
    image = render_beads(beads_at((10.5 * 30, 7.5 * 30, 2.0)), PROFILE, (20, 20), 30.0)
    assert image[10, 7] == pytest.approx(2.0)


def test_no_beads_give_a_dark_image():
    assert (render_beads(beads_at(), PROFILE, (9, 11), 30.0) == np.zeros((9, 11))).all()
