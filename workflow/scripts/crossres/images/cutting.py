"""Cutting one large image into fields, with a guard band between the splits."""

from collections.abc import Mapping

from crossres.jobs import InputError

SPLIT_ORDER = ("train", "validation", "test")


def field_window(
    shape: tuple[int, int], rows: int, columns: Mapping[str, int], guard_px: int, index: int
) -> tuple[slice, slice]:
    """Return the window of one field of a grid laid over a large image.

    The splits are vertical strips, from left to right train, validation, test, each of its
    number of columns. Where two strips meet, half the guard band is taken from either side, so
    that no two fields of different splits come closer than ``guard_px``.

    Parameters
    ----------
    shape
        (Y, X) of the image.
    rows
        Number of rows of the grid.
    columns
        Number of columns of each split.
    guard_px
        Width of the unused band between two splits, in pixels.
    index
        Number of the field: row by row, from the top left.

    Returns
    -------
    tuple of slice
        The window in y and in x.

    Raises
    ------
    InputError
        The grid or the guard band leaves the field no pixel.
    """
    height, width = shape
    split_of_column = [split for split in SPLIT_ORDER for _ in range(columns.get(split, 0))]
    row, column = divmod(index, len(split_of_column))
    top, bottom = height * row // rows, height * (row + 1) // rows
    left = width * column // len(split_of_column)
    right = width * (column + 1) // len(split_of_column)
    if column > 0 and split_of_column[column - 1] != split_of_column[column]:
        left += guard_px - guard_px // 2
    last = column == len(split_of_column) - 1
    if not last and split_of_column[column + 1] != split_of_column[column]:
        right -= guard_px // 2
    if top >= bottom or left >= right:
        raise InputError(
            f"source.cut: {rows} rows, {len(split_of_column)} columns and a guard_px of {guard_px} "
            f"leave nothing of a field of an image of {shape} px; make the grid coarser or the "
            "guard band narrower"
        )
    return slice(top, bottom), slice(left, right)
