import numpy as np
import pytest

from crossres.samples import SAMPLES

SIDE_NM = 60e3


def beads_of(rng, side_nm=SIDE_NM, depth_nm=0.0, **settings):
    settings = {"density_per_um2": 1.0, "pair_fraction": 0.3, **settings}
    return SAMPLES["beads"](kind="beads", **settings).emitters((depth_nm, side_nm, side_nm), rng)


def test_density_without_pairs(rng):
    beads = beads_of(rng, pair_fraction=0.0)
    # a Poisson number of mean 3600
    assert len(beads.brightness) == pytest.approx(3600, abs=5 * 60)
    assert (beads.facts["pair"] == -1).all()


def test_beads_lie_inside_the_field_and_fill_it_evenly(rng):
    places = beads_of(rng).position_nm[:, 1:]
    assert (places >= 0).all()
    assert (places < SIDE_NM).all()
    for axis in (0, 1):
        counts, _ = np.histogram(places[:, axis], bins=4, range=(0, SIDE_NM))
        np.testing.assert_allclose(counts / len(places), 0.25, atol=0.03)


@pytest.mark.parametrize("depth_nm", [0.0, 5000.0])
def test_beads_lie_in_the_middle_plane(rng, depth_nm):
    assert (beads_of(rng, depth_nm=depth_nm).position_nm[:, 0] == depth_nm / 2).all()


def test_pairs_have_two_beads_within_the_distances_asked(rng):
    beads = beads_of(rng)
    numbers, counts = np.unique(beads.facts["pair"], return_counts=True)
    pairs = [
        beads.position_nm[beads.facts["pair"] == number]
        for number, count in zip(numbers, counts, strict=True)
        if number >= 0 and count == 2
    ]
    # 30 % of about 3600 get a neighbour; few of those fall outside
    assert len(pairs) == pytest.approx(0.3 * 3600, rel=0.12)
    distances = [np.linalg.norm(first - second) for first, second in pairs]
    assert min(distances) >= 130
    assert max(distances) <= 290
    assert np.mean(distances) == pytest.approx(210, abs=5)


def test_brightness_is_one_on_average_with_the_spread_asked(rng):
    brightness = beads_of(rng, side_nm=100e3).brightness
    assert brightness.mean() == pytest.approx(1.0, abs=0.02)
    assert np.log(brightness).std() == pytest.approx(0.3, abs=0.01)
