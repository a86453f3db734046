"""Measure how far the registration of every field of a batch is off the simulator's truth."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from crossres.images import field_name, fields_in, read_field_table, read_image, read_scene_table
from crossres.jobs import logger
from crossres.measure.registration import (
    drift_error_nm,
    error_row,
    scan_error_nm,
    structured_cells,
)
from crossres.simulate import truth_from_dict

COLUMNS = (
    "field",
    "error_rms_px",
    "error_p95_px",
    "error_rms_nm",
    "error_all_rms_px",
    "residual_px",
)

Errors = dict[str, tuple[np.ndarray, np.ndarray]]
"""Of each field: the length of its error in nm, and where the target shows something."""


def measure_registration(
    registration: Path,
    truth: Path,
    scans: Mapping[str, Path] | None,
    sizes_nm: Mapping[str, float],
    table: Path,
) -> None:
    """Write a table of root mean square and 95th percentile of the error of each field.

    Both are taken where the target shows something; ``error_all_rms_px`` is over all of the field.
    Pixels are those of the target; of volumes the error along z counts by its nm.

    Parameters
    ----------
    registration
        Registration table of the batch; pairs that were not accepted are left out.
    truth
        Folder of the simulator's truth.
    scans
        Of stage scans: ``registered``, ``displacements``, ``cut``, and the positions of the tiles,
        ``input_tiles`` and ``target_tiles``; None of whole fields.
    sizes_nm
        Pixel size of ``input`` and ``target``.
    table
        Where to; it has no rows where no pair was accepted.
    """
    found = read_field_table(registration)
    accepted = found[found.accepted]
    errors: Errors = {}
    if scans is not None:
        errors = scan_errors(truth, scans, set(accepted.field), sizes_nm)
    elif len(accepted):
        lengths = drift_error_nm(accepted, read_field_table(truth / "drift.csv"))
        errors = {name: (np.array([nm]), np.ones(1, bool)) for name, nm in lengths.items()}
    residuals = dict(zip(accepted.field, accepted.residual_px, strict=True))
    rows = []
    for name, (length_nm, structured) in errors.items():
        row = error_row(length_nm, structured, sizes_nm["target"])
        if row is None:
            logger.info("field %s shows nothing to measure at", name)
            continue
        rows.append({"field": name, **row, "residual_px": residuals[name]})
    result = pd.DataFrame(rows, columns=COLUMNS)
    result.to_csv(table, index=False)
    logger.info("median error %.3f px", result.error_rms_px.median())


def scan_errors(
    truth: Path, scans: Mapping[str, Path], accepted: set[str], sizes_nm: Mapping[str, float]
) -> Errors:
    """Return the error over every accepted field of a batch of scenes."""
    positions: dict[str, dict[str, dict[tuple[int, int], tuple[float, float]]]] = {}
    for role in ("input", "target"):
        for scene, rows in read_scene_table(scans[f"{role}_tiles"]):
            positions.setdefault(scene, {})[role] = {
                (row.tile_row, row.tile_col): (row.y_px, row.x_px) for row in rows.itertuples()
            }
    errors: Errors = {}
    for scene, places in positions.items():
        known = truth_from_dict(json.loads((truth / f"{scene}.json").read_text()))
        for path in fields_in([scans["registered"]]):
            name = field_name(path)
            if name not in accepted or name.rsplit("_", 1)[0] != scene:
                continue
            moved = read_image(scans["displacements"] / path.name)
            displacement = np.stack([moved.channel(f"displacement_{axis}") for axis in "yx"])
            step = round(moved.known_pixel_size_nm / sizes_nm["target"])
            registered = read_image(path)
            error = scan_error_nm(
                known,
                places,
                displacement,
                step,
                registered.corner_px,
                read_image(scans["cut"] / path.name).corner_px,
                sizes_nm["input"] / sizes_nm["target"],
            )
            target = registered.channel("target")
            cells = structured_cells(target, displacement.shape[1:], step)
            errors[name] = (np.hypot(*error), cells)
    return errors


if __name__ == "__main__":
    from crossres.jobs import limit_threads, run

    job = snakemake
    limit_threads(job.threads)
    names = ("registered", "displacements", "cut", "input_tiles", "target_tiles")
    run(
        measure_registration,
        job.log[0],
        registration=Path(job.input.registration),
        truth=Path(job.input.truth),
        scans={name: Path(job.input[name]) for name in names} if job.params.stitched else None,
        sizes_nm=job.params.sizes_nm,
        table=Path(job.output[0]),
    )
