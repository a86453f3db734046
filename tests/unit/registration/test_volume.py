import numpy as np
import pytest

from crossres.registration import register_pair
from crossres.settings import Registration

pytestmark = pytest.mark.slow

SHAPE = (24, 72, 72)
PIXEL_NM, Z_STEP_NM = 30.0, 120.0
STEPS_NM = (Z_STEP_NM, PIXEL_NM, PIXEL_NM)
FAR = 2000.0


def spots(shift=(0.0, 0.0, 0.0), sharpness=1.0, seed=0, magnification=1.0):
    """Gaussian spots at exact places, moved by a shift, with a little noise."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, SHAPE, (120, 3))
    middle = (np.array(SHAPE) - 1) / 2
    places = middle + magnification * (places - middle) + shift
    axes = [np.arange(n)[None] - places[:, i : i + 1] for i, n in enumerate(SHAPE)]
    widths = np.array([1.5, 2.5, 2.5]) * sharpness
    z, y, x = (np.exp(-((a / w) ** 2) / 2) for a, w in zip(axes, widths, strict=True))
    noise = np.random.default_rng(seed + 100).normal(0, 0.02, SHAPE)
    return np.einsum("nz,ny,nx->zyx", z, y, x) + noise


def register(fixed, free, **settings):
    chosen = Registration(**{"method": "affine", **settings})
    return register_pair(fixed, free, chosen, STEPS_NM)


def shift_of(values, unit):
    return [values[f"shift_{axis}_{unit}"] for axis in "zyx"]


@pytest.mark.parametrize("method", ["shift", "affine"])
def test_a_shift_is_undone_to_a_fraction_of_a_slice(method):
    found = register(spots(), spots((1.4, -2.3, 3.6), sharpness=0.8), method=method)
    values = found.values
    assert (values["accepted"], values["applied"], values["reason"]) == (True, True, "")
    np.testing.assert_allclose(shift_of(values, "px"), [-1.4, 2.3, -3.6], atol=0.15)
    in_px = np.array(shift_of(values, "px"))
    np.testing.assert_allclose(shift_of(values, "nm"), STEPS_NM * in_px)
    assert found.pair.shape == (2, *SHAPE)
    assert found.displacement.shape == (3, *SHAPE)
    inner = np.s_[3:-3, 6:-6, 6:-6]
    assert np.corrcoef(found.pair[1][inner].ravel(), spots()[inner].ravel())[0, 1] > 0.9
    assert values["correlation"] > values["correlation_before"]


def test_a_shift_deforms_nothing_and_a_magnification_does():
    pair = spots(), spots(magnification=1.03)
    assert register(*pair, method="shift").values["deformation_px"] == pytest.approx(0, abs=1e-5)
    # what is magnified by 3 % moves back by 0.03 / 1.03 of its distance from the middle
    corner_nm = STEPS_NM * (np.array(SHAPE) - 1) / 2 * 0.03 / 1.03
    expected_px = np.linalg.norm(corner_nm) / PIXEL_NM
    found = register(*pair, method="affine").values
    assert found["deformation_px"] == pytest.approx(expected_px, rel=0.2)


def test_errors_along_z_count_by_their_nm():
    pair = spots(), spots((0.3, 1.2, -0.7))
    settings = Registration(method="affine")
    thin, thick = (
        register_pair(*pair, settings, (z, PIXEL_NM, PIXEL_NM)).values["residual_px"]
        for z in (PIXEL_NM, 4 * PIXEL_NM)
    )
    assert 0 < thin < thick < 4 * thin


def test_identity_stays_identity():
    volume = spots()
    found = register(volume, volume)
    assert np.abs(found.displacement).max() <= 0.01
    assert found.values["correlation"] == pytest.approx(1, abs=1e-3)


def test_without_a_method_the_microscope_is_trusted():
    pair = spots(), spots(seed=7)
    found = register(*pair, method="none")
    assert (found.values["accepted"], found.values["applied"]) == (True, False)
    np.testing.assert_array_equal(found.pair, np.stack(pair).astype(np.float32))
    assert not found.displacement.any()


def expect_refused(found, pair, *words):
    values = found.values
    assert (values["accepted"], values["applied"]) == (False, False)
    for word in words:
        assert word in values["reason"]
    np.testing.assert_array_equal(found.pair, np.stack(pair).astype(np.float32))
    assert not found.displacement.any()
    assert not found.correction.any()


def test_unrelated_volumes_are_refused_with_numbers():
    pair = spots(), spots(seed=7)
    expect_refused(register(*pair, min_correlation=0.7), pair, "below min_correlation (0.7)")


def test_z_ranges_that_hardly_meet_are_refused_with_the_slices_they_share():
    pair = spots(), spots((13.0, 0.0, 0.0))
    expect_refused(register(*pair, max_shift_nm=FAR), pair, "share 11 of 24 slices", "-13.")


def test_a_shift_beyond_the_limit_is_refused_by_its_nm():
    pair = spots(), spots((2.0, 3.0, 0.0))
    # 240 nm along z and 90 along y are 256 nm
    found = register(*pair, max_shift_nm=250.0)
    expect_refused(found, pair, "nm, beyond max_shift_nm (250)")
    assert float(found.values["reason"].split()[2]) == pytest.approx(256, abs=4)
    assert register(*pair, max_shift_nm=265.0).values["accepted"]


def test_a_mirrored_target_is_explained():
    pair = spots(), np.ascontiguousarray(spots()[..., ::-1])
    expect_refused(register(*pair, min_correlation=0.7), pair, "mirrored left to right")


def test_volumes_are_not_registered_elastically():
    with pytest.raises(ValueError, match="volumes cannot be registered elastically"):
        register(spots(), spots(), method="elastic")


def test_an_image_and_a_volume_have_the_same_columns_but_for_z(shifted):
    image = register_pair(*shifted, Registration(), (PIXEL_NM, PIXEL_NM)).values
    volume = register(spots(), spots()).values
    assert set(volume) - set(image) == {"shift_z_px", "shift_z_nm"}
    assert set(image) < set(volume)
