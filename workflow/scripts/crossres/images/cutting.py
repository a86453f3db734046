"""Cutting one large image into fields, with a guard band between the splits."""

from crossres.jobs import InputError
from crossres.settings import Cut


def field_window(shape: tuple[int, ...], cut: Cut, index: int) -> tuple[slice, slice]:
    """Return the window of one field of a grid laid over a large image.

    The splits are vertical strips, from left to right train, validation, test, each of its
    number of columns. Where two strips meet, half the guard band is taken from either side, so
    that no two fields of different splits come closer than ``guard_px``. Fields keep all slices
    and frames.

    Parameters
    ----------
    shape
        (..., Y, X) of the image.
    cut
        The grid, ``source.cut``.
    index
        Number of the field: row by row, from the top left.

    Returns
    -------
    tuple of slice
        The window in y and in x, as of ``array[..., y, x]``.

    Raises
    ------
    InputError
        The grid or the guard band leaves the field no pixel.
    """
    height, width = shape[-2:]
    rows, guard_px = cut.rows, cut.guard_px
    split_of_column = [split for split, number in cut.columns for _ in range(number)]
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
            f"leave nothing of a field of an image of {height} x {width} px; make the grid coarser "
            "or the guard band narrower"
        )
    return slice(top, bottom), slice(left, right)


def centred_grid(
    shape: tuple[int, ...], rows: int, columns: int, side_px: int
) -> list[tuple[slice, slice]]:
    """Return the windows of a grid of square fields around the centre of an image, row by row.

    Parameters
    ----------
    shape
        (..., Y, X) of the image.
    rows, columns
        Of the grid.
    side_px
        Side of a field, in pixels of the image.

    Raises
    ------
    InputError
        The grid is larger than the image.
    """
    height, width = shape[-2:]
    top, left = (height - rows * side_px) // 2, (width - columns * side_px) // 2
    if top < 0 or left < 0:
        raise InputError(
            f"source.stitch.fields: {rows} x {columns} fields of {side_px} input pixels need "
            f"{rows * side_px} x {columns * side_px}, and the stitched input has {height} x "
            f"{width}; ask for fewer or smaller fields"
        )
    return [
        (slice(y, y + side_px), slice(x, x + side_px))
        for y in range(top, top + rows * side_px, side_px)
        for x in range(left, left + columns * side_px, side_px)
    ]
