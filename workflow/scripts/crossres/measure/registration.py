"""How far a registration is off what the simulator knows."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.ndimage import binary_dilation

from crossres.simulate import ScanTruth, sample_position_nm
from crossres.stitching import tile_of_pixel

STRUCTURED_LEVEL = 0.1

Positions = Mapping[tuple[int, int], tuple[float, float]]
"""(y, x) of each tile in its mosaic, by (row, column)."""


def drift_error_nm(registration: pd.DataFrame, drift: pd.DataFrame) -> pd.Series:
    """Return how far the shift of each field is off its true drift.

    Parameters
    ----------
    registration
        With columns ``field`` and ``shift_y_nm``, ``shift_x_nm`` and, of volumes, ``shift_z_nm``.
    drift
        With columns ``field`` and ``drift_y_nm`` and so on, of the same fields or more.

    Returns
    -------
    Series
        Length in nm by the field's name.
    """
    moved, true = registration.set_index("field"), drift.set_index("field")
    axes = "zyx" if "shift_z_nm" in moved else "yx"
    # drift is where the target went; the shift brings it back, so their sum is the error
    errors = [
        moved[f"shift_{axis}_nm"].astype(float) + true.loc[moved.index, f"drift_{axis}_nm"]
        for axis in axes
    ]
    return pd.Series(np.linalg.norm(errors, axis=0), moved.index)


def error_row(
    length_nm: np.ndarray, structured: np.ndarray, target_pixel_nm: float
) -> dict[str, float] | None:
    """Return the columns of a field's error, None where it shows nothing to measure at.

    Parameters
    ----------
    length_nm
        Length of the error at each place of the field, NaN where it is unknown.
    structured
        Where the target shows something.
    target_pixel_nm
        Pixel size of the target.
    """
    seen_nm = length_nm[structured & np.isfinite(length_nm)]
    if not len(seen_nm):
        return None
    rms_nm = float(np.sqrt(np.mean(seen_nm**2)))
    return {
        "error_rms_px": rms_nm / target_pixel_nm,
        "error_p95_px": float(np.percentile(seen_nm, 95)) / target_pixel_nm,
        "error_rms_nm": rms_nm,
        "error_all_rms_px": float(np.sqrt(np.nanmean(length_nm**2))) / target_pixel_nm,
    }


def seen_positions_nm(
    truth: ScanTruth, role: str, positions_px: Positions, places_px: np.ndarray
) -> np.ndarray:
    """Return the true positions in the sample that places of a stitched mosaic show.

    Parameters
    ----------
    truth
        Of the scan.
    role
        ``input`` or ``target``.
    positions_px
        Where the tiles were put.
    places_px
        (2, ...) y and x in the mosaic.

    Returns
    -------
    ndarray
        (2, ...) y and x in nm; NaN where no tile lies.
    """
    side = truth.scans[role].tile_px
    index = tile_of_pixel(positions_px, (side, side))
    nearest = np.rint(places_px).astype(int)
    within = np.all(
        [(n >= 0) & (n < size) for n, size in zip(nearest, index.shape, strict=True)], 0
    )
    y, x = (np.clip(n, 0, size - 1) for n, size in zip(nearest, index.shape, strict=True))
    tile_at = np.where(within, index[y, x], -1)
    seen = np.full(places_px.shape, np.nan)
    for number, (row, column) in enumerate(sorted(positions_px)):
        inside = tile_at == number
        top, left = positions_px[row, column]
        seen[:, inside] = sample_position_nm(
            truth, role, f"r{row}c{column}", places_px[0][inside] - top, places_px[1][inside] - left
        )
    return seen


def structured_cells(target: np.ndarray, shape: tuple[int, ...], step_px: int) -> np.ndarray:
    """Return a mask of the cells in or beside which the target shows something.

    Where nothing is shown nothing can be aligned, and nothing is learnt from there.

    Parameters
    ----------
    target
        (Y, X) counts.
    shape
        Number of cells along each axis.
    step_px
        Side of a cell.

    Returns
    -------
    ndarray
        (cells y, cells x) bool: within two cells of one whose mean exceeds a tenth of the range
        between the 2nd and the 99.9th percentile of the cells' means.
    """
    rows, columns = shape
    whole = target[: rows * step_px, : columns * step_px].astype(np.float64)
    means = whole.reshape(rows, step_px, columns, step_px).mean(axis=(1, 3))
    low, high = np.percentile(means, [2, 99.9])
    bright = means > low + STRUCTURED_LEVEL * (high - low)
    cells: np.ndarray = binary_dilation(bright, iterations=2)
    return cells


def scan_error_nm(
    truth: ScanTruth,
    positions_px: Mapping[str, Positions],
    displacement: np.ndarray,
    step_px: int,
    corner_px: tuple[int, int],
    field_corner_px: tuple[int, int],
    ratio: float,
) -> np.ndarray:
    """Return how far apart in the sample the registered input and target look.

    Parameters
    ----------
    truth
        Of the scene.
    positions_px
        Where the tiles were put, by role.
    displacement
        (2, Y, X) of the registered field, averaged over squares of ``step_px`` pixels: the target's
        mosaic is shown from p - displacement(p) at pixel p of the field.
    step_px
        Side of those squares.
    corner_px
        (y, x) of the registered part in its field.
    field_corner_px
        (y, x) of the field in the input's mosaic.
    ratio
        Pixel size of the input over that of the target.

    Returns
    -------
    ndarray
        (2, Y, X) in nm, NaN beyond the tiles.
    """
    squares = np.indices(displacement.shape[1:]) * step_px + (step_px - 1) / 2
    place = squares + np.reshape(corner_px, (2, 1, 1))
    in_input = np.reshape(field_corner_px, (2, 1, 1)) + (place + 0.5) / ratio - 0.5
    seen_input = seen_positions_nm(truth, "input", positions_px["input"], in_input)
    in_target = place - displacement
    seen_target = seen_positions_nm(truth, "target", positions_px["target"], in_target)
    error: np.ndarray = seen_input - seen_target
    return error
