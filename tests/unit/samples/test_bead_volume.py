import numpy as np
import pytest

from crossres.samples import SAMPLES

SIZE_NM = (8e3, 40e3, 30e3)


def beads_of(rng, **settings):
    return SAMPLES["bead_volume"](kind="bead_volume", **settings).emitters(SIZE_NM, rng)


def test_density_is_as_asked_in_the_imaged_volume(rng):
    beads = beads_of(rng, density_per_um3=0.1)
    inside = ((beads.position_nm >= 0) & (beads.position_nm < SIZE_NM)).all(axis=1)
    expected = 0.1 * 8 * 40 * 30
    assert inside.sum() == pytest.approx(expected, abs=5 * np.sqrt(expected))


def test_beads_fill_the_volume_and_its_border_evenly(rng):
    beads = beads_of(rng, density_per_um3=0.2)
    for axis, size_nm in enumerate(SIZE_NM):
        limits = (-beads.border_nm, size_nm + beads.border_nm)
        counts, _ = np.histogram(beads.position_nm[:, axis], bins=4, range=limits)
        assert counts.sum() == len(beads.brightness)
        np.testing.assert_allclose(counts / counts.sum(), 0.25, atol=0.03)
    assert beads.border_nm > 0


def test_brightness_is_one_on_average_with_the_spread_asked(rng):
    brightness = beads_of(rng, density_per_um3=1.0, brightness_spread=0.4).brightness
    assert brightness.mean() == pytest.approx(1.0, abs=0.02)
    assert np.log(brightness).std() == pytest.approx(0.4, abs=0.01)
