import numpy as np
import pytest

from crossres.registration import register_volume

SHAPE = (24, 72, 72)


def spots(shift=(0.0, 0.0, 0.0), sharpness=1.0, seed=0):
    """Gaussian spots at exact places, moved by a shift, with a little noise."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, SHAPE, (120, 3)) + shift
    axes = [np.arange(n)[None] - places[:, i : i + 1] for i, n in enumerate(SHAPE)]
    widths = np.array([1.5, 2.5, 2.5]) * sharpness
    z, y, x = (np.exp(-((a / w) ** 2) / 2) for a, w in zip(axes, widths, strict=True))
    noise = np.random.default_rng(seed + 100).normal(0, 0.02, SHAPE)
    return np.einsum("nz,ny,nx->zyx", z, y, x) + noise


def test_a_shift_is_undone_to_a_fraction_of_a_plane():
    found = register_volume(spots(), spots((1.4, -2.3, 3.6), sharpness=0.8))
    assert found.reason == ""
    np.testing.assert_allclose(found.estimate.shift_px, [-1.4, 2.3, -3.6], atol=0.15)
    inner = np.s_[3:-3, 6:-6, 6:-6]
    assert np.corrcoef(found.warped[inner].ravel(), spots()[inner].ravel())[0, 1] > 0.9


def test_identity_stays_identity():
    volume = spots()
    found = register_volume(volume, volume)
    assert np.abs(found.estimate.displacement(SHAPE)).max() <= 0.01


def test_unrelated_volumes_are_refused_with_numbers():
    moving = spots(seed=7)
    found = register_volume(spots(), moving, min_correlation=0.5)
    assert "below min_correlation (0.5)" in found.reason
    np.testing.assert_array_equal(found.warped, moving.astype(np.float32))


def test_z_ranges_that_hardly_meet_are_refused_with_the_planes_they_share():
    found = register_volume(spots(), spots((13.0, 0.0, 0.0)))
    assert "of 24 planes" in found.reason


def test_only_volumes_are_taken():
    with pytest.raises(ValueError, match=r"expected \(Z, Y, X\)"):
        register_volume(np.zeros((8, 8)), np.zeros((8, 8)))
