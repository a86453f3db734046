"""The ruler of registration, held against displacements that follow from a scan by hand."""

import numpy as np
import pandas as pd
import pytest

from crossres.measure.registration import (
    drift_error_nm,
    error_row,
    scan_error_nm,
    seen_positions_nm,
    structured_cells,
)
from crossres.simulate import ScanTruth, sample_position_nm
from crossres.simulate.distortion import Distortion
from crossres.simulate.scan_truth import Scan
from measure_registration import measure_registration

INPUT_NM, TARGET_NM, RATIO = 650.0, 325.0, 2.0
STEP_PX = 8
INPUT_PX, TARGET_PX = 120, 96
CELLS = (14, 16)
CORNER, FIELD_CORNER = (5, 11), (30, 40)
COEFFICIENTS = ((0.1, -0.2, 0.3, 0.9, 0.05, 0.8, -0.1), (-0.1, 0.1, 0.2, 0.1, 0.9, 0.0, 1.0))


def scan(tile_px, pixel_nm, tiles, turn=0.0, distorted=0.0):
    """A scan of tiles by (row, column), each with the (y, x) that its centre looks at, in nm."""
    coefficients = tuple(tuple(distorted * a for a in row) for row in COEFFICIENTS)
    shift = (0.3 * distorted, -0.4 * distorted)
    rows = [(f"r{r}c{c}", r, c, *at) for (r, c), at in tiles.items()]
    table = pd.DataFrame(rows, columns=["tile", "row", "column", "y_nm", "x_nm"])
    optics = Distortion((tile_px - 1) / 2, coefficients, shift)
    return Scan(tile_px, pixel_nm, turn, optics, table)


# in pixels of either mosaic; the target's first pixel lies beside none of the input's
TILES = {
    "input": {(0, 0): (0.0, 0.0), (0, 1): (2.3, 90.6), (1, 0): (88.4, 1.2), (1, 1): (91.0, 89.5)},
    "target": {(0, 0): (1.4, 0.0), (0, 1): (0.0, 80.7), (1, 0): (77.6, 2.2), (1, 1): (80.0, 79.1)},
}


def make_scans(turn=0.0, distorted=0.0, target_nm=TARGET_NM):
    """Return the truth of a stage that went where the mosaics put the tiles."""
    sides = {"input": (INPUT_PX, INPUT_NM), "target": (TARGET_PX, target_nm)}
    start = {"input": np.zeros(2), "target": np.array([25.6, 33.1]) * INPUT_NM}
    scans = {}
    for role, (side, size_nm) in sides.items():
        centres = {
            tile: start[role] + (np.array(at) + (side - 1) / 2) * size_nm
            for tile, at in TILES[role].items()
        }
        turned = turn if role == "target" else 0.0
        scans[role] = scan(side, size_nm, centres, turned, distorted)
    return ScanTruth("gfp", 2e5, scans)


def places_in_field():
    """The middle of each square of a field's registered part, in pixels of the field."""
    return np.indices(CELLS) * STEP_PX + (STEP_PX - 1) / 2 + np.reshape(CORNER, (2, 1, 1))


def perfect_displacement(truth):
    """What would register a field without error: the target's places found by Newton's method."""
    place = places_in_field()
    in_input = np.reshape(FIELD_CORNER, (2, 1, 1)) + (place + 0.5) / RATIO - 0.5
    looked_at = seen_positions_nm(truth, "input", TILES["input"], in_input)
    found = (looked_at - np.reshape(np.array([25.6, 33.1]) * INPUT_NM, (2, 1, 1))) / TARGET_NM
    turn = np.deg2rad(truth.scans["target"].rotation_degree)
    back = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    for _ in range(8):
        missed = looked_at - seen_positions_nm(truth, "target", TILES["target"], found)
        # a place within reach of two tiles may swing between them; it is left out below
        found = found + np.nan_to_num(np.tensordot(back, missed, 1)) / TARGET_NM
    return place - found


def measured(truth, displacement):
    return scan_error_nm(truth, TILES, displacement, STEP_PX, CORNER, FIELD_CORNER, RATIO)


def test_of_ideal_objectives_the_displacement_is_known_by_hand():
    # in pixels of the input, its mosaic's y looks at y, and the target's y at 25.6 + y / 2
    truth = make_scans()
    place = places_in_field()
    in_input = np.reshape(FIELD_CORNER, (2, 1, 1)) + (place + 0.5) / RATIO - 0.5
    in_target = (in_input - np.reshape((25.6, 33.1), (2, 1, 1))) * RATIO
    error = measured(truth, place - in_target)
    assert error.shape == (2, *CELLS)
    np.testing.assert_allclose(error, 0, atol=1e-6)


@pytest.mark.parametrize(("turn", "distorted"), [(0.0, 0.0), (0.4, 0.0), (0.0, 1.0), (-0.3, 1.0)])
def test_a_perfect_registration_has_no_error(turn, distorted):
    truth = make_scans(turn, distorted)
    error = measured(truth, perfect_displacement(truth))
    assert np.isfinite(error).mean() > 0.95
    # where two tiles of the target meet, a place may be shown by neither
    settled = np.hypot(*error) < 1e-3
    assert settled.mean() > 0.9
    assert settled[np.isfinite(error[0])].mean() > 0.95


@pytest.mark.parametrize("offset_px", [(0.5, 0.0), (0.0, -1.25), (0.3, 0.4)])
def test_a_displacement_off_by_a_constant_errs_by_it(offset_px):
    truth = make_scans()
    perfect = perfect_displacement(truth)
    error = measured(truth, perfect + np.reshape(offset_px, (2, 1, 1)))
    expected = np.broadcast_to(
        np.reshape(offset_px, (2, 1, 1)) * np.float64(TARGET_NM), error.shape
    )
    at = np.isfinite(error)
    # p - d is read: a displacement too large looks at too small a place
    np.testing.assert_allclose(error[at], expected[at], atol=1e-6)


@pytest.mark.parametrize("turn", [0.0, 30.0])
def test_the_error_is_in_the_sample_not_on_the_camera(turn):
    truth = make_scans(turn, target_nm=300.0)
    first = measured(truth, np.zeros((2, *CELLS)))
    second = measured(truth, np.stack([np.full(CELLS, 0.01), np.zeros(CELLS)]))
    change = second - first
    # where the same tile is read, 0.01 px along y is 3 nm along the camera's y
    y, x = 3 * np.cos(np.deg2rad(turn)), -3 * np.sin(np.deg2rad(turn))
    same = np.hypot(*change) < 10
    assert same.mean() > 0.5
    np.testing.assert_allclose(change[0][same], y, atol=1e-6)
    np.testing.assert_allclose(change[1][same], x, atol=1e-6)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("sign", [-1, 1])
def test_beyond_the_targets_tiles_the_error_is_unknown(axis, sign):
    truth = make_scans()
    displacement = perfect_displacement(truth)
    displacement[axis] += sign * 100
    place = places_in_field() - displacement
    # both tiles along an axis end at the position of the last and its side
    last = {0: 80.0, 1: 80.7}[axis] + TARGET_PX - 1
    outside = (place[axis] < -0.51) | (place[axis] > last + 0.51)
    error = measured(truth, displacement)
    assert outside.any()
    assert np.isnan(error[:, outside]).all()
    assert np.isfinite(error[:, ~outside]).mean() > 0.9


def test_beyond_the_inputs_tiles_the_error_is_unknown():
    truth = make_scans()
    nowhere = np.zeros((2, 4, 4))
    far = scan_error_nm(truth, TILES, nowhere, STEP_PX, (0, 0), (400, 30), RATIO)
    assert np.isnan(far).all()


def test_a_place_in_a_tile_looks_where_the_simulator_says():
    truth = make_scans(0.3, 1.0)
    # far inside of the last tile, which begins at (91.0, 89.5)
    places = np.array([[130.0, 150.5], [140.0, 160.25]])
    found = seen_positions_nm(truth, "input", TILES["input"], places)
    expected = sample_position_nm(truth, "input", "r1c1", places[0] - 91.0, places[1] - 89.5)
    np.testing.assert_allclose(found, expected)


def test_where_tiles_overlap_the_deeper_one_counts():
    truth = make_scans(distorted=1.0)
    # 10 px right of the second tile's edge the first still has 19 px to go
    for x, tile in ((100.0, "r0c0"), (112.0, "r0c1")):
        places = np.array([[50.0], [x]])
        found = seen_positions_nm(truth, "input", TILES["input"], places)[:, 0]
        top, left = TILES["input"][0, int(tile[-1])]
        expected = sample_position_nm(truth, "input", tile, 50.0 - top, x - left)
        np.testing.assert_allclose(found, expected)


def test_where_no_tile_lies_nothing_is_seen():
    truth = make_scans()
    places = np.array([[-1.0, 300.0, 50.0], [50.0, 50.0, 50.0]])
    found = seen_positions_nm(truth, "input", TILES["input"], places)
    np.testing.assert_array_equal(np.isnan(found).all(0), [True, True, False])


def test_structured_cells_are_those_that_show_something_and_their_neighbours():
    target = np.full((80, 96), 100, np.uint16)
    target[40:48, 48:56] = 900
    found = structured_cells(target, (10, 12), 8)
    rows, columns = np.indices(found.shape)
    # within two steps along the axes of the cell in row 5 and column 6
    expected = np.abs(rows - 5) + np.abs(columns - 6) <= 2
    np.testing.assert_array_equal(found, expected)


def test_cells_below_a_tenth_of_the_range_show_nothing():
    target = np.full((160, 160), 100.0)
    target[:64, :64] = 1100.0
    # 5 and 15 % of the way from background to structure
    target[128:136, 16:24], target[128:136, 128:136] = 150.0, 250.0
    found = structured_cells(target, (20, 20), 8)
    assert not found[16, 2]
    assert found[16, 16]
    assert found[:8, :8].all()


def test_gain_and_offset_do_not_make_structure():
    target = np.random.default_rng(0).gamma(0.3, 100, (64, 96))
    one, other = (structured_cells(image, (8, 12), 8) for image in (target, 30 * target + 700))
    np.testing.assert_array_equal(one, other)
    assert 0 < one.sum() <= one.size


def test_pixels_beyond_the_last_cell_do_not_count():
    target = np.full((45, 61), 100.0)
    target[40:, :], target[:, 56:] = 9000.0, 9000.0
    target[0:8, 0:8] = 300.0
    found = structured_cells(target, (5, 7), 8)
    assert found.shape == (5, 7)
    assert found[0, 0]
    assert not found[4, 6]


def test_a_drift_that_is_undone_leaves_no_error_and_one_that_is_not_its_length():
    moved = {"field": ["01", "02"], "shift_y_nm": [-30.0, 0.0], "shift_x_nm": [40.0, 0.0]}
    true = {"field": ["02", "03", "01"], "drift_y_nm": [3.0, 9.0, 30.0], "drift_x_nm": [4, 9, -40]}
    found = drift_error_nm(pd.DataFrame(moved), pd.DataFrame(true))
    assert found.to_dict() == {"01": 0.0, "02": pytest.approx(5.0)}


def test_the_drift_of_volumes_counts_along_z_too():
    shift = {"shift_z_nm": [-100.0], "shift_y_nm": [2.0], "shift_x_nm": [3.0]}
    drift = {"drift_z_nm": [106.0], "drift_y_nm": [0.0], "drift_x_nm": [-1.0]}
    found = drift_error_nm(
        pd.DataFrame({"field": ["a"], **shift}), pd.DataFrame({"field": ["a"], **drift})
    )
    # 6, 2 and 2 nm
    assert found["a"] == pytest.approx(np.sqrt(44))


def test_the_error_of_a_field_is_taken_where_it_shows_something():
    length_nm = np.array([[30.0, 40.0], [1000.0, np.nan]])
    structured = np.array([[True, True], [False, True]])
    found = error_row(length_nm, structured, 10.0)
    assert found["error_rms_nm"] == pytest.approx(np.sqrt((900 + 1600) / 2))
    assert found["error_rms_px"] == pytest.approx(found["error_rms_nm"] / 10)
    # 95 % of the way from the lesser to the greater of two values
    assert found["error_p95_px"] == pytest.approx(3.95)
    assert found["error_all_rms_px"] == pytest.approx(np.sqrt((900 + 1600 + 1e6) / 3) / 10)
    assert error_row(length_nm, np.zeros((2, 2), bool), 10.0) is None


def test_a_batch_of_whole_fields_becomes_a_table(tmp_path):
    registration = pd.DataFrame(
        {
            "field": ["a", "b"],
            "accepted": [True, False],
            "shift_y_nm": [-28.0, 0.0],
            "shift_x_nm": [0.0, 0.0],
            "residual_px": [0.1, 5.0],
        }
    )
    registration.to_csv(tmp_path / "test_000.csv", index=False)
    drift = {"field": ["a", "b"], "drift_y_nm": [31.0, 0.0], "drift_x_nm": [4.0, 0.0]}
    pd.DataFrame(drift).to_csv(tmp_path / "drift.csv", index=False)
    sizes = {"input": 60.0, "target": 25.0}
    measure_registration(tmp_path / "test_000.csv", tmp_path, None, sizes, tmp_path / "e.csv")
    (row,) = pd.read_csv(tmp_path / "e.csv").to_dict("records")
    # 3 and 4 nm
    assert (row["field"], row["residual_px"]) == ("a", 0.1)
    assert row["error_rms_nm"] == row["error_rms_px"] * 25 == pytest.approx(5.0)


def test_a_batch_without_accepted_pairs_becomes_a_table_without_rows(tmp_path):
    columns = {"field": ["a"], "accepted": [False], "residual_px": [np.nan]}
    pd.DataFrame(columns).to_csv(tmp_path / "r.csv", index=False)
    measure_registration(tmp_path / "r.csv", tmp_path, None, {"target": 25.0}, tmp_path / "e.csv")
    found = pd.read_csv(tmp_path / "e.csv")
    assert len(found) == 0
    assert {"field", "error_rms_px", "error_rms_nm"} < set(found.columns)
