import numpy as np
import pytest
from deformed_pairs import constant, displacement_map, make_pair, rms_px, waves
from scipy.ndimage import gaussian_filter, map_coordinates

from crossres.registration import leave_out, register_pair
from crossres.registration.pair import correlation, covered_part

SHAPE = (192, 208)
PIXEL_NM = 30.0
SETTINGS = {"method": "shift", "locate": False, "scheme": "spline", "spacing_px": 48,
            "max_shift_nm": 300, "min_correlation": 0.2, "max_deformation_px": 10,
            "max_residual_px": 0.3, "min_texture": 0.1, "crop_px": 10}  # fmt: skip
SHIFT = (2.3, -1.7)
WAVES = waves(SHAPE, 1, 3.0, (300, 600))
METHODS = [("shift", "spline"), ("affine", "spline"), ("elastic", "spline"), ("elastic", "blocks")]
STILL = np.eye(2)


def register(pair, place=None, **settings):
    return register_pair(*pair, {**SETTINGS, **settings}, PIXEL_NM, place)


@pytest.fixture(scope="module")
def shifted():
    return make_pair(SHAPE, constant(*SHIFT))


@pytest.fixture(scope="module")
def wavy():
    return make_pair(SHAPE, WAVES)


@pytest.fixture(scope="module")
def noise():
    return tuple(np.random.default_rng(0).poisson(100, (2, 96, 100)).astype(np.float32))


@pytest.mark.parametrize(("method", "scheme"), METHODS)
def test_a_known_shift_is_found_and_the_pair_agrees_after(shifted, method, scheme):
    found = register(shifted, method=method, scheme=scheme)
    true = displacement_map(constant(*SHIFT), SHAPE)
    assert rms_px(found.displacement, true) < 0.1
    np.testing.assert_array_equal(found.correction, found.displacement)
    values = found.values
    assert (values["accepted"], values["applied"], values["reason"]) == (True, True, "")
    assert values["correlation"] > 0.95 > 0.9 > values["correlation_before"]
    y, x = values["shift_y_px"], values["shift_x_px"]
    np.testing.assert_allclose((y, x), SHIFT, atol=0.05)
    assert (values["shift_y_nm"], values["shift_x_nm"]) == (y * PIXEL_NM, x * PIXEL_NM)
    assert values["residual_px"] < values["residual_p95_px"] < 0.3


@pytest.mark.parametrize(("scheme", "tolerance_px"), [("spline", 0.05), ("blocks", 0.2)])
def test_a_known_deformation_is_found(wavy, scheme, tolerance_px):
    found = register(wavy, method="elastic", scheme=scheme)
    true = displacement_map(WAVES, SHAPE)
    assert found.values["accepted"]
    assert rms_px(found.displacement, true) < tolerance_px
    farthest = np.hypot(*(true - true.mean((1, 2), keepdims=True))).max()
    assert found.values["deformation_px"] == pytest.approx(farthest, rel=0.4)


@pytest.mark.parametrize("method", ["shift", "affine"])
def test_what_a_method_cannot_follow_is_left_as_residual(wavy, method):
    found = register(wavy, method=method)
    left = rms_px(found.displacement, displacement_map(WAVES, SHAPE))
    assert left > 0.3
    assert found.values["residual_px"] == pytest.approx(left, rel=0.5)


def test_a_shift_deforms_nothing_and_a_large_one_is_found_by_every_method():
    pair = make_pair(SHAPE, constant(-7.4, 6.6))
    for method, scheme in METHODS:
        found = register(pair, method=method, scheme=scheme)
        assert rms_px(found.displacement, displacement_map(constant(-7.4, 6.6), SHAPE)) < 0.15
        assert found.values["deformation_px"] < (1e-5 if method == "shift" else 1.0)


@pytest.mark.parametrize(("method", "scheme"), [("none", "spline"), *METHODS])
def test_an_image_lies_on_itself(shifted, method, scheme):
    found = register((shifted[0], shifted[0]), method=method, scheme=scheme)
    assert np.abs(found.displacement).max() <= 0.01
    np.testing.assert_allclose(found.pair[1], found.pair[0], rtol=0.01)
    assert found.values["accepted"]
    assert found.values["correlation"] == pytest.approx(1, abs=1e-3)


def test_without_a_method_the_microscope_is_trusted(noise, shifted):
    for pair in (noise, shifted):
        found = register(pair, method="none")
        assert (found.values["accepted"], found.values["applied"]) == (True, False)
        assert found.values["reason"] == ""
        assert not found.displacement.any()
        np.testing.assert_allclose(found.pair, pair, rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.uint16, np.float64])
def test_every_dtype_gives_the_same(shifted, dtype):
    whole = [image.round().clip(0) for image in shifted]
    one, other = (
        register([image.astype(kind) for image in whole], method="elastic")
        for kind in (np.float32, dtype)
    )
    assert other.pair.dtype == other.displacement.dtype == np.float32
    np.testing.assert_allclose(other.displacement, one.displacement, atol=5e-3)


def test_the_same_again_is_the_same(wavy):
    one, other = (register(wavy, method="elastic") for _ in range(2))
    np.testing.assert_array_equal(one.pair, other.pair)
    assert one.values == other.values


# what the target shows: more than the input, a part of it, parts of either
CUTS = {
    "more": (np.s_[16:176, 20:180], np.s_[:, :], (0, 0), (160, 160)),
    "part": (np.s_[:, :], np.s_[40:, 25:170], (40, 25), (152, 145)),
    "corner": (np.s_[:150, :160], np.s_[31:, 47:], (31, 47), (119, 113)),
}


@pytest.mark.parametrize("name", CUTS)
def test_a_target_that_covers_a_part_of_the_input(wavy, name):
    of_input, of_target, corner, shape = CUTS[name]
    fixed, free = wavy[0][of_input], wavy[1][of_target]
    start, first = ([part.start or 0 for part in cut] for cut in (of_input, of_target))
    found = register((fixed, free), (STILL, np.subtract(start, first)), method="elastic")
    assert found.corner_px == corner
    assert found.pair.shape == found.displacement.shape == (2, *shape)
    values = found.values
    assert (values["crop_y_px"], values["crop_x_px"]) == corner
    assert values["coverage"] == pytest.approx(np.prod(shape) / fixed.size)
    part = tuple(slice(c, c + n) for c, n in zip(corner, shape, strict=True))
    np.testing.assert_array_equal(found.pair[0], fixed[part])
    true = displacement_map(WAVES, SHAPE)[(slice(None), *of_input)][(slice(None), *part)]
    assert rms_px(found.correction, true) < 0.08
    # the target's pixel counts from its own corner
    moved = np.subtract(first, start).reshape(2, 1, 1)
    np.testing.assert_allclose(found.displacement, found.correction + moved, atol=1e-3)
    assert values["accepted"]
    assert values["correlation"] > 0.95


@pytest.fixture(scope="module")
def turned():
    """A place turned and magnified, and a pair that lies a known correction off it."""
    turn, middle = np.deg2rad(1.5), (np.reshape(SHAPE, 2) - 1) / 2
    matrix = 1.03 * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    offset = middle - matrix @ middle - (20.4, 12.7)
    correction = waves(SHAPE, 3, 2.0, (300, 600))

    def whole(y, x):
        at_y, at_x = np.stack([y, x]) - correction(y, x)
        read = [row[0] * at_y + row[1] * at_x + b for row, b in zip(matrix, offset, strict=True)]
        return np.stack([y, x]) - np.stack(read)

    pair = make_pair(SHAPE, whole)
    found = register(pair, (matrix, offset), method="elastic")
    return found, pair, displacement_map(whole, SHAPE), displacement_map(correction, SHAPE)


def part_of(found):
    height, width = found.pair.shape[1:]
    top, left = found.corner_px
    return np.s_[:, top : top + height, left : left + width]


def test_the_correction_comes_on_top_of_the_place(turned):
    found, _, whole, correction = turned
    assert found.values["accepted"]
    assert rms_px(found.correction, correction[part_of(found)]) < 0.08
    assert rms_px(found.displacement, whole[part_of(found)]) < 0.08
    shift = found.values["shift_y_px"], found.values["shift_x_px"]
    np.testing.assert_allclose(shift, found.correction.mean((1, 2)), atol=1e-4)


def test_at_p_the_targets_pixel_p_less_the_displacement_is_shown(turned):
    found, (_, free), _, _ = turned
    top, left = found.corner_px
    # p counts from the corner of the input, not from that of the part
    p = np.indices(found.pair.shape[1:]) + np.array([top, left]).reshape(2, 1, 1)
    expected = map_coordinates(free, p - found.displacement, order=3, mode="nearest")
    inner = np.s_[4:-4, 4:-4]
    np.testing.assert_allclose(found.pair[1][inner], expected[inner], rtol=0.01, atol=2)


def test_input_and_target_show_the_same_after_the_move(turned):
    found, pair, _, _ = turned
    np.testing.assert_array_equal(found.pair[0], pair[0][part_of(found)[1:]])
    assert np.corrcoef(found.pair[0].ravel(), found.pair[1].ravel())[0, 1] > 0.9
    assert found.values["correlation"] > 0.95


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


@pytest.mark.parametrize("turn_degree", [-3.0, 0.0, 2.0])
@pytest.mark.parametrize("offset", [(0.0, 0.0), (-40.3, 12.6), (33.3, -55.5)])
def test_the_covered_part_lies_within_the_target(offset, turn_degree):
    turn = np.deg2rad(turn_degree)
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    rows, columns = covered_part((150, 180), (140, 200), matrix, np.array(offset))
    places = np.tensordot(matrix, np.mgrid[rows, columns], 1) + np.reshape(offset, (2, 1, 1))
    assert places.size
    assert places.min() > -1e-3
    assert places[0].max() < 139.001
    assert places[1].max() < 199.001


@pytest.mark.parametrize(
    ("offset", "rows", "columns"),
    [
        ((0.0, 0.0), (0, 100), (0, 120)),
        ((-30.0, 0.0), (30, 100), (0, 120)),
        # 100 rows of the target, from its 20th on, are 80 of the input
        ((20.0, -0.5), (0, 80), (1, 120)),
        ((0.25, 10.5), (0, 99), (0, 109)),
    ],
)
def test_the_covered_part_by_hand(offset, rows, columns):
    found = covered_part((100, 120), (100, 120), STILL, np.array(offset))
    assert found == (slice(*rows), slice(*columns))


@pytest.mark.parametrize("offset", [(500.0, 0.0), (0.0, -500.0), (-120.0, -120.0)])
def test_beyond_the_target_nothing_is_covered(offset):
    rows, columns = covered_part((100, 120), (100, 120), STILL, np.array(offset))
    assert 0 in (rows.stop - rows.start, columns.stop - columns.start)


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
