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


def centred_grid(
    shape: tuple[int, ...], rows: int, columns: int, side_px: int
) -> list[tuple[slice, slice]]:
    """Return the windows of a grid of square fields about the centre of an image, row by row.

    Parameters
    ----------
    shape
        (Y, X) of the image.
    rows, columns
        Of the grid.
    side_px
        Side of a field, in pixels of the image.

    Raises
    ------
    InputError
        The grid is larger than the image.
    """
    top, left = (shape[0] - rows * side_px) // 2, (shape[1] - columns * side_px) // 2
    if top < 0 or left < 0:
        raise InputError(
            f"source.stitch.fields: {rows} x {columns} fields of {side_px} input pixels need "
            f"{rows * side_px} x {columns * side_px}, and the stitched input has {shape[0]} x "
            f"{shape[1]}; ask for fewer or smaller fields"
        )
    return [
        (slice(y, y + side_px), slice(x, x + side_px))
        for y in range(top, top + rows * side_px, side_px)
        for x in range(left, left + columns * side_px, side_px)
    ]
