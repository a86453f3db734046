import numpy as np
import pytest
from deformed_pairs import constant, displacement_map, make_pair, rms_px, waves
from registered_pairs import METHODS, PIXEL_NM, SHAPE, SHIFT, STILL, WAVES, register
from scipy.ndimage import map_coordinates

from crossres.registration.pair import covered_part


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
