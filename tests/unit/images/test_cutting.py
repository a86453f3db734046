import numpy as np
import pytest

from crossres.images import field_window
from crossres.jobs import InputError

GRIDS = [
    ((60, 97), 2, {"train": 3, "validation": 1, "test": 1}, 5),
    ((31, 80), 3, {"train": 2, "validation": 1, "test": 2}, 8),
    ((40, 40), 1, {"train": 1, "validation": 1, "test": 1}, 0),
    ((17, 91), 4, {"train": 1, "validation": 2, "test": 1}, 1),
]


def windows(shape, rows, columns, guard_px):
    """Every window with its split, in the documented order: row by row, train to test."""
    order = [split for split in ("train", "validation", "test") for _ in range(columns[split])]
    return [
        (split, field_window(shape, rows, columns, guard_px, row * len(order) + column))
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
        field_window((30, 30), 1, columns, guard_px, index)
