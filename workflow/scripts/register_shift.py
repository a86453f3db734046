"""Correct the drift between the two scans of each field of a batch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crossres.images import Image, read_image, write_image
from crossres.jobs import InputError, logger, progress
from crossres.registration import apply_shift, locate_correlation_peak

LARGEST_RESIDUAL_PX = 4
"""How far the shift left after registration is looked for."""


def register_shift(
    inputs: Path,
    targets: Path,
    fields: Sequence[str],
    settings: Mapping[str, Any],
    folder: Path,
    table: Path,
) -> None:
    """Write <field>.ome.tif with the channels input and target, aligned, and a table of shifts.

    The target moves onto the input, never the other way: the input of the blind test is
    restored as it was acquired.

    Parameters
    ----------
    inputs, targets
        Folders of the input at the target's pixel size, and of the target.
    fields
        Their names.
    settings
        ``registration`` of the experiment.
    folder, table
        Where to.

    Raises
    ------
    InputError
        A pair whose images differ in size by more than a pixel.
    """
    rows = []
    for name in progress(fields, "registering fields"):
        reference, moving = (read_image(part / f"{name}.ome.tif") for part in (inputs, targets))
        fixed, free = common_size(reference.array, moving.array, name)
        row, shift_px = measure_shift(fixed, free, reference.known_pixel_size_nm, settings)
        pair = crop_border(np.stack([fixed, apply_shift(free, shift_px)]), settings, name)
        # what a second look at the aligned pair would still move: how well the peak was located
        left = locate_correlation_peak(pair[0], pair[1], LARGEST_RESIDUAL_PX)
        row["residual_px"] = float(np.hypot(*left.shift_px))
        write_image(
            folder / f"{name}.ome.tif",
            Image(pair, "CYX", reference.known_pixel_size_nm, channels=("input", "target")),
        )
        rows.append({"field": name, **row})
    result = pd.DataFrame(rows)
    table.parent.mkdir(parents=True, exist_ok=True)
    result.to_csv(table, index=False)
    logger.info("accepted %d of %d fields", result.accepted.sum(), len(result))


def crop_border(pair: np.ndarray, settings: Mapping[str, Any], name: str) -> np.ndarray:
    """Crop (C, Y, X) by ``registration.crop_px`` on every side."""
    crop = settings["crop_px"]
    height, width = pair.shape[1:]
    if min(height, width) <= 2 * crop:
        raise InputError(
            f"field {name}: registration.crop_px is {crop}, which leaves nothing of its "
            f"{height} x {width} pixels; crop less"
        )
    return pair[:, crop : height - crop, crop : width - crop]


def common_size(fixed: np.ndarray, free: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Crop a pair to its common size, which rounding may have put one pixel apart."""
    if np.abs(np.subtract(fixed.shape, free.shape)).max() > 1:
        raise InputError(
            f"field {name}: the input covers {fixed.shape} pixels of the target's size, the target "
            f"{free.shape}; check both pixel sizes, or give images of the same field of view"
        )
    height, width = np.minimum(fixed.shape, free.shape)
    return fixed[:height, :width], free[:height, :width].astype(np.float32)


def measure_shift(
    fixed: np.ndarray, free: np.ndarray, pixel_size_nm: float, settings: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[float, float]]:
    """Return a row of the table, and the shift to apply (zero where registration is off)."""
    reach_px = max(1, int(np.ceil(settings["max_shift_nm"] / pixel_size_nm)))
    found = locate_correlation_peak(fixed, free, reach_px)
    shift_nm = np.multiply(found.shift_px, pixel_size_nm)
    near = bool(np.hypot(*shift_nm) <= settings["max_shift_nm"])
    alike = found.correlation >= settings["min_correlation"]
    trusted = settings["method"] == "none"
    why = "" if near else "shift beyond max_shift_nm"
    why = why if alike else "correlation below min_correlation"
    accepted = trusted or (near and alike and found.fitted)
    # a pair that is not accepted is not moved either: it is left out of training, and looked at
    applied = accepted and not trusted
    row = {
        "shift_y_px": found.shift_px[0],
        "shift_x_px": found.shift_px[1],
        "shift_y_nm": shift_nm[0],
        "shift_x_nm": shift_nm[1],
        "correlation": found.correlation,
        "applied": applied,
        "accepted": accepted,
        "reason": "" if trusted else why or ("" if found.fitted else "no Gaussian fits the peak"),
    }
    return row, found.shift_px if applied else (0.0, 0.0)


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    run(
        register_shift,
        job.log[0],
        inputs=Path(job.input.inputs),
        targets=Path(job.input.targets),
        fields=job.params.fields,
        settings=job.params.settings,
        folder=Path(job.output.fields),
        table=Path(job.output.table),
    )
