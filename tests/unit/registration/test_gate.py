import numpy as np
import pytest
from deformed_pairs import constant, make_pair
from registered_pairs import METHODS, SHAPE, SHIFT, STILL, register
from scipy.ndimage import gaussian_filter

from crossres.registration import leave_out
from crossres.registration.gate import correlation

pytestmark = pytest.mark.slow


def test_correlation_is_that_with_the_target_as_blurred_as_the_input():
    sharp = np.random.default_rng(1).random((320, 330))
    blurred = 7 * gaussian_filter(sharp, 4.0) + 3
    assert correlation(blurred, sharp) == pytest.approx(1, abs=1e-6)
    assert np.corrcoef(blurred.ravel(), sharp.ravel())[0, 1] < 0.3
    assert correlation(sharp, sharp) == pytest.approx(1)
    assert correlation(sharp, np.full(sharp.shape, 5.0)) == 0.0


def test_a_sharp_input_does_not_agree_with_a_blurred_target():
    # blur is taken from the input, never lent to it
    sharp = np.random.default_rng(1).random((80, 90))
    assert correlation(sharp, gaussian_filter(sharp, 4.0)) < 0.3


def expect_refused(found, pair, *words):
    """A pair that is not accepted says why, and is shown where it was placed."""
    values = found.values
    assert (values["accepted"], values["applied"]) == (False, False)
    for word in words:
        assert word in values["reason"]
    assert not found.correction.any()
    assert not found.displacement.any()
    np.testing.assert_allclose(found.pair, pair, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("method", ["affine", "elastic"])
def test_noise_is_refused_with_the_correlation_and_its_limit(noise, method):
    found = register(noise, method=method, min_correlation=0.45)
    number = found.values["correlation"]
    expect_refused(found, noise, f"correlation {number:.2f}, below min_correlation (0.45)")
    assert number < 0.45


@pytest.mark.parametrize(("method", "scheme"), [METHODS[0], METHODS[2]])
def test_a_target_of_another_sample_is_refused(method, scheme):
    pair = tuple(make_pair((128, 128), constant(0, 0), seed=n)[n % 2] for n in (4, 7))
    found = register(pair, method=method, scheme=scheme, min_correlation=0.4)
    expect_refused(found, pair)
    assert found.values["residual_px"] > 1
    assert found.values["texture"] == 0.0


def test_a_pair_that_agrees_too_little_is_refused(shifted):
    pair = [image[:100, :100] for image in shifted]
    found = register(pair, method="elastic", min_correlation=0.9999)
    expect_refused(found, pair, "correlation 0.97, below min_correlation (0.9999)")


@pytest.mark.parametrize("method", ["shift", "elastic"])
def test_an_empty_target_is_refused(noise, method):
    pair = noise[0], np.full(noise[0].shape, 40.0)
    found = register(pair, method=method)
    expect_refused(found, pair)
    assert found.values["reason"]
    assert found.values["correlation"] == 0.0


@pytest.mark.parametrize(("method", "scheme"), METHODS)
def test_a_shift_beyond_the_limit_is_refused(method, scheme):
    pair = make_pair(SHAPE, constant(10.0, 4.0))
    found = register(pair, method=method, scheme=scheme)
    expect_refused(found, pair, "nm, beyond max_shift_nm (300)")
    # the root of 10 and 4 squared is 10.77 px
    stated = float(found.values["reason"].split("shift of ")[1].split()[0])
    assert stated == pytest.approx(323, abs=3)
    # the table keeps what was found
    assert found.values["shift_y_px"] == pytest.approx(10, abs=0.1)


def test_a_shift_within_a_larger_limit_is_accepted():
    pair = make_pair(SHAPE, constant(10.0, 4.0))
    assert register(pair, max_shift_nm=330).values["accepted"]


def test_a_shift_far_beyond_the_limit_is_refused():
    pair = make_pair((112, 112), constant(40.0, -30.0))
    found = register(pair, method="elastic", min_correlation=0.6)
    expect_refused(found, pair)
    assert found.values["correlation"] < 0.6


def test_a_peak_that_is_no_gaussian_is_refused():
    reference = np.random.default_rng(2).poisson(100, SHAPE).astype(np.float32)
    # smeared along x while it was exposed: the peak is a ridge whose end is highest
    moving = sum(w * np.roll(reference, n, 1) for n, w in enumerate((1, 0.99, 0.98, 0.97)))
    pair = reference, moving.astype(np.float32)
    found = register(pair, method="shift")
    expect_refused(found, pair, "no Gaussian fits the peak of the cross-correlation")


def test_images_with_nothing_in_common_are_refused_by_the_elastic_method(noise):
    found = register(noise, method="elastic", min_correlation=-1, max_shift_nm=1e5)
    expect_refused(found, noise, "nothing that both images show")
    assert np.isinf(found.values["residual_px"])


def test_a_pair_with_little_texture_is_refused():
    pair = make_pair(SHAPE, constant(*SHIFT), covered=0.35)
    found = register(pair, method="elastic", min_texture=0.8)
    expect_refused(found, pair, f"texture {found.values['texture']:.2f}", "min_texture is 0.8")
    # of three columns of blocks the sample covers one and touches another
    assert 0.3 < found.values["texture"] < 0.7


@pytest.mark.parametrize(
    ("limit", "column", "words"),
    [
        ({"max_deformation_px": 1}, "deformation_px", "beyond max_deformation_px (1)"),
        ({"max_residual_px": 0.001}, "residual_px", "above max_residual_px (0.001)"),
    ],
)
def test_a_deformation_beyond_a_limit_is_refused(wavy, limit, column, words):
    found = register(wavy, method="elastic", **limit)
    value = found.values[column]
    number = f"{value:.1f} px" if column == "deformation_px" else f"{value:.2f} px"
    expect_refused(found, wavy, number, words)


@pytest.mark.parametrize("method", ["shift", "affine"])
def test_the_limits_of_the_elastic_method_are_not_those_of_the_others(wavy, method):
    strict = {"max_deformation_px": 0.01, "max_residual_px": 0.001, "min_texture": 1.0}
    assert register(wavy, method=method, **strict).values["accepted"]


def test_a_mirrored_target_is_explained(shifted):
    pair = shifted[0][:128, :128], np.ascontiguousarray(shifted[1][:128, 127::-1])
    found = register(pair, method="elastic", min_correlation=0.4)
    expect_refused(found, pair, "fits only once it is mirrored left to right (correlation 0.9")


@pytest.mark.parametrize(
    ("offset", "coverage"), [((-140.0, 0.0), 0.27), ((0.0, 150.0), 0.28), ((-900.0, 0.0), 0.0)]
)
def test_a_target_that_covers_too_little_is_refused(shifted, offset, coverage):
    found = register(shifted, (STILL, np.array(offset)))
    values = found.values
    assert values["reason"].startswith(f"the target covers {coverage:.0%} of the input's field")
    assert values["coverage"] == pytest.approx(coverage, abs=0.01)
    expect_left_out(found, shifted[0])


def expect_left_out(found, fixed):
    """The input whole, the target empty."""
    assert (found.values["accepted"], found.values["applied"]) == (False, False)
    assert found.corner_px == (0, 0)
    np.testing.assert_array_equal(found.pair[0], fixed)
    assert not found.pair[1].any()
    assert not found.displacement.any()
    assert not found.correction.any()


def test_a_pair_left_out_has_the_columns_of_any_other(shifted):
    found = leave_out(shifted[0], "because")
    expect_left_out(found, shifted[0])
    assert found.values["reason"] == "because"
    assert set(found.values) == set(register(shifted).values)


def test_a_small_field_can_be_shifted_but_not_registered_elastically(shifted):
    small = [image[:60, :60] for image in shifted]
    assert register(small, method="shift").values["accepted"]
    refused = register(small, method="elastic").values
    assert not refused["accepted"]
    assert "60 px a side are too few" in refused["reason"]


def test_a_pair_that_is_refused_stays_as_it_was_placed(shifted):
    matrix, offset = STILL, np.array([-40.0, -25.0])
    pair = shifted[0], shifted[1][40:, 25:]
    found = register(pair, (matrix, offset), max_shift_nm=60)
    assert not found.values["accepted"]
    assert not found.correction.any()
    # whole pixels are shown as they are
    np.testing.assert_allclose(found.pair[1], pair[1], rtol=1e-4, atol=1e-3)
    assert np.unique(found.displacement[0]) == pytest.approx(40)
    assert np.unique(found.displacement[1]) == pytest.approx(25)
