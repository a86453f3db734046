import numpy as np
import pytest

from crossres.images import centred_grid, field_window
from crossres.jobs import InputError
from crossres.settings import Cut

GRIDS = [
    ((60, 97), 2, {"train": 3, "validation": 1, "test": 1}, 5),
    ((31, 80), 3, {"train": 2, "validation": 1, "test": 2}, 8),
    ((40, 40), 1, {"train": 1, "validation": 1, "test": 1}, 0),
    ((17, 91), 4, {"train": 1, "validation": 2, "test": 1}, 1),
]


def windows(shape, rows, columns, guard_px):
    """Every window with its split, in the documented order: row by row, train to test."""
    cut = Cut(rows=rows, columns=columns, guard_px=guard_px)
    order = [split for split in ("train", "validation", "test") for _ in range(columns[split])]
    return [
        (split, field_window(shape, cut, row * len(order) + column))
        for row in range(rows)
        for column, split in enumerate(order)
    ]


def pixels_of_splits(shape, rows, columns, guard_px):
    covered = {split: np.zeros(shape, dtype=int) for split in columns}
    for split, window in windows(shape, rows, columns, guard_px):
        covered[split][window] += 1
    return covered


@pytest.mark.parametrize("grid", GRIDS)
def test_pixels_of_two_splits_are_further_apart_than_the_guard_band(grid):
    covered = {split: np.argwhere(count) for split, count in pixels_of_splits(*grid).items()}
    for a, b in (("train", "validation"), ("validation", "test"), ("train", "test")):
        # strips run the whole height: the nearest pixels lie in one row
        gap = np.abs(covered[a][:, None, 1] - covered[b][None, :, 1]).min()
        assert gap > grid[3]


@pytest.mark.parametrize("grid", GRIDS)
def test_no_pixel_lies_in_two_fields(grid):
    assert sum(pixels_of_splits(*grid).values()).max() == 1


@pytest.mark.parametrize("grid", GRIDS)
def test_only_the_guard_bands_are_left_out(grid):
    shape, _, _, guard_px = grid
    unused = (sum(pixels_of_splits(*grid).values()) == 0).sum()
    assert unused == 2 * guard_px * shape[0]


def test_windows_by_hand():
    columns = {"train": 2, "validation": 1, "test": 1}
    found = [window for _, window in windows((20, 40), 2, columns, 5)]
    # 40 px in 4 columns; of a band of 5 px, 2 are taken on the left and 3 on the right
    across = [slice(0, 10), slice(10, 18), slice(23, 28), slice(33, 40)]
    assert found == [(y, x) for y in (slice(0, 10), slice(10, 20)) for x in across]


@pytest.mark.parametrize("guard_px", [20, 40, 200])
@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_guard_band_that_leaves_no_field_is_refused(guard_px, index):
    columns = {"train": 1, "validation": 1, "test": 1}
    with pytest.raises(InputError, match="guard_px"):
        field_window((30, 30), Cut(rows=1, columns=columns, guard_px=guard_px), index)


@pytest.mark.parametrize("leading", [(7,), (3, 5)])
def test_slices_and_frames_are_not_cut(leading):
    cut = Cut(rows=2, columns={"train": 2, "validation": 1, "test": 1}, guard_px=5)
    assert field_window((*leading, 20, 40), cut, 1) == field_window((20, 40), cut, 1)
    assert centred_grid((*leading, 25, 41), 2, 3, 10) == centred_grid((25, 41), 2, 3, 10)


def test_a_centred_grid_by_hand():
    # 2 x 3 fields of 10 px need 20 x 30 of 25 x 41: 2 rows and 5 columns remain on the near side
    found = centred_grid((25, 41), 2, 3, 10)
    columns = [slice(5, 15), slice(15, 25), slice(25, 35)]
    assert found == [(y, x) for y in (slice(2, 12), slice(12, 22)) for x in columns]


def test_a_grid_may_fill_the_image():
    assert centred_grid((20, 30), 1, 1, 20) == [(slice(0, 20), slice(5, 25))]
    assert len(centred_grid((20, 30), 2, 3, 10)) == 6


@pytest.mark.parametrize(
    "grid", [((97, 61), 3, 2, 16), ((64, 64), 4, 4, 16), ((50, 200), 1, 9, 21)]
)
def test_fields_of_a_centred_grid_lie_side_by_side_about_the_centre(grid):
    shape, rows, columns, side_px = grid
    covered = np.zeros(shape, dtype=int)
    for window in centred_grid(*grid):
        assert covered[window].shape == (side_px, side_px)
        covered[window] += 1
    assert covered.max() == 1
    assert covered.sum() == rows * columns * side_px**2
    for axis in (0, 1):
        used = np.flatnonzero(covered.any(axis=1 - axis))
        assert abs(used[0] - (shape[axis] - 1 - used[-1])) <= 1


@pytest.mark.parametrize(
    ("shape", "numbers"),
    [((39, 200), ["40 x 60", "39 x 200"]), ((200, 59), ["40 x 60", "200 x 59"])],
)
def test_a_grid_larger_than_the_image_is_refused_with_both_sizes(shape, numbers):
    with pytest.raises(InputError) as fault:
        centred_grid(shape, 2, 3, 20)
    assert "2 x 3 fields of 20 input pixels" in str(fault.value)
    for number in numbers:
        assert number in str(fault.value)
