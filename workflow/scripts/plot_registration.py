"""Draw how the fields of a channel were aligned."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.ndimage import uniform_filter

from crossres.figures import save_figure
from crossres.figures.registration import plot_registration as draw
from crossres.images import field_name, fields_in, read_field_table, read_image
from crossres.registration import warp

WINDOW_PX = 96


def plot_registration(
    registration: Path,
    errors: Sequence[Path],
    pairs: Sequence[Path],
    displacements: Sequence[Path],
    figures: list[Path],
) -> None:
    """Write the figure of the accepted field that was deformed most.

    Where none was accepted, one that was not is shown, as it was placed.

    Parameters
    ----------
    registration
        registration.csv.
    errors
        registration_error.csv of a simulation; empty for real images.
    pairs, displacements
        Registered fields and what moved them.
    figures
        Where to.
    """
    table = read_field_table(registration)
    accepted = table[table.accepted]
    shown = accepted if len(accepted) else table
    by_size = shown.sort_values("deformation_px", kind="stable", na_position="first")
    name = by_size.field.iloc[-1]
    (path,) = (path for path in pairs if field_name(path) == name)
    (moves,) = (path for path in displacements if field_name(path) == name)
    image = read_image(path)
    pair = image.array.astype(np.float32)
    # the file holds the whole displacement first, then the correction, along each axis
    both = read_image(moves).array
    correction = both[len(both) // 2 :]
    before = unmoved(pair[1], correction)
    axial_px = None
    if pair.ndim == 4:
        axial_px = float(np.abs(correction[0]).max())
        middle = pair.shape[1] // 2
        pair, before, correction = pair[:, middle], before[middle], correction[1:, middle]
    residuals = {"estimated": shown.residual_px.to_numpy(float)}
    if errors:
        residuals["true"] = pd.concat(map(read_field_table, errors)).error_rms_px.to_numpy(float)
    window = telling_window(pair[1] - before, min(WINDOW_PX, *pair.shape[1:]))
    size_nm = image.known_pixel_size_nm
    remark = "" if len(accepted) else " (not accepted)"
    save_figure(
        draw(pair, before, correction, window, size_nm, residuals, remark, axial_px), *figures
    )


def unmoved(target: np.ndarray, correction: np.ndarray) -> np.ndarray:
    """Return the registered target as it was before the correction: moved back by it, for show.

    Parameters
    ----------
    target
        ([Z,] Y, X).
    correction
        (2, y, x) or (3, Z, y, x), averaged over squares of the target's pixels.
    """
    step = target.shape[-2] // correction.shape[-2]
    whole = np.repeat(np.repeat(correction, step, axis=-2), step, axis=-1)
    missing = [(0, n - m) for n, m in zip(target.shape, whole.shape[1:], strict=True)]
    return warp(target, -np.pad(whole, [(0, 0), *missing], mode="edge"))


def telling_window(difference: np.ndarray, side_px: int) -> tuple[slice, slice]:
    """Return the window in which the correction changed most."""
    energy = uniform_filter(difference.astype(np.float64) ** 2, side_px)
    half = side_px // 2
    rows, columns = (n - side_px + 1 for n in difference.shape)
    inner = energy[half : half + rows, half : half + columns]
    y, x = np.unravel_index(int(np.argmax(inner)), inner.shape)
    return slice(int(y), int(y) + side_px), slice(int(x), int(x) + side_px)


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake
    run(
        plot_registration,
        job.log[0],
        registration=Path(job.input.registration),
        errors=[Path(path) for path in job.input.registration_error],
        pairs=fields_in(job.input.pairs),
        displacements=fields_in(job.input.displacements),
        figures=[Path(job.output.png), Path(job.output.svg)],
    )
