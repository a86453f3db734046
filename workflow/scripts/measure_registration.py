"""Measure how far the registration of every field is off the simulator's truth."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from crossres.images import field_name, fields_in, read_field_table, read_image, read_scene_table
from crossres.jobs import logger, progress
from crossres.measure.registration import scan_error_nm, structured_cells
from crossres.simulate import truth_from_dict


def measure_registration(
    registration: Sequence[Path],
    truth: Sequence[Path],
    scans: Mapping[str, Sequence[Path]] | None,
    sizes_nm: Mapping[str, float],
    provenance: Mapping[str, str],
    table: Path,
) -> None:
    """Write registration_error.csv: root mean square and 95th percentile over each field.

    Both are taken where the target shows something; ``error_all_rms_px`` is over all of the field.

    Parameters
    ----------
    registration
        Registration tables of all batches; pairs that were not accepted are left out.
    truth
        Folders of the simulator's truth, batch by batch.
    scans
        Of stage scans, batch by batch: ``registered``, ``displacements``, ``cut``, and the
        positions of the tiles, ``input_tiles`` and ``target_tiles``; None of whole fields.
    sizes_nm
        Pixel size of ``input`` and ``target``.
    provenance
        Columns that say where the numbers come from.
    table
        Where to.
    """
    accepted = pd.concat(map(read_field_table, registration)).set_index("field")
    accepted = accepted[accepted.accepted]
    errors: Errors = {}
    if scans is None:
        errors = drift_errors(accepted, truth)
    else:
        for number, folder in enumerate(progress(truth, "measuring batches")):
            batch = {name: paths[number] for name, paths in scans.items()}
            errors |= scan_errors(folder, batch, set(accepted.index), sizes_nm)
    rows = []
    for name, (length_nm, structured) in errors.items():
        seen_nm = length_nm[structured & np.isfinite(length_nm)]
        if not len(seen_nm):
            logger.info("field %s shows nothing to measure at", name)
            continue
        rms_nm = np.sqrt(np.mean(seen_nm**2))
        rows.append(
            {
                "field": name,
                "error_rms_px": rms_nm / sizes_nm["target"],
                "error_p95_px": np.percentile(seen_nm, 95) / sizes_nm["target"],
                "error_rms_nm": rms_nm,
                "error_all_rms_px": np.sqrt(np.nanmean(length_nm**2)) / sizes_nm["target"],
                "residual_px": accepted.residual_px[name],
            }
        )
    result = pd.DataFrame(rows).assign(**provenance)
    result.to_csv(table, index=False)
    logger.info("median error %.3f px", result.error_rms_px.median())


Errors = dict[str, tuple[np.ndarray, np.ndarray]]
"""Of each field: the length of its error in nm, and where the target shows something."""


def drift_errors(accepted: pd.DataFrame, truth: Sequence[Path]) -> Errors:
    """Return how far each field's shift is off the true drift."""
    drift = pd.concat(read_field_table(folder / "drift.csv") for folder in truth)
    drift = drift.set_index("field").loc[accepted.index]
    # drift is where the target went; the shift brings it back, so their sum is the error
    y, x = (
        accepted[f"shift_{axis}_nm"].to_numpy(float) + drift[f"drift_{axis}_nm"].to_numpy(float)
        for axis in "yx"
    )
    everywhere = np.ones(1, dtype=bool)
    lengths = np.hypot(y, x)[:, None]
    return {name: (e, everywhere) for name, e in zip(accepted.index, lengths, strict=True)}


def scan_errors(
    truth: Path, batch: Mapping[str, Path], accepted: set[str], sizes_nm: Mapping[str, float]
) -> Errors:
    """Return the error over every accepted field of a batch of scenes."""
    positions: dict[str, dict[str, dict[tuple[int, int], tuple[float, float]]]] = {}
    for role in ("input", "target"):
        for scene, rows in read_scene_table(batch[f"{role}_tiles"]):
            positions.setdefault(scene, {})[role] = {
                (row.tile_row, row.tile_col): (row.y_px, row.x_px) for row in rows.itertuples()
            }
    errors: Errors = {}
    for scene, places in positions.items():
        known = truth_from_dict(json.loads((truth / f"{scene}.json").read_text()))
        for path in fields_in([batch["registered"]]):
            name = field_name(path)
            if name not in accepted or name.rsplit("_", 1)[0] != scene:
                continue
            field = read_image(batch["displacements"] / path.name)
            step = round(field.known_pixel_size_nm / sizes_nm["target"])
            registered = read_image(path)
            error = scan_error_nm(
                known,
                places,
                field.array[:2],
                step,
                registered.corner_px,
                read_image(batch["cut"] / path.name).corner_px,
                sizes_nm["input"] / sizes_nm["target"],
            )
            target = registered.channel("target")
            cells = structured_cells(target, field.array.shape[1:], step)
            errors[name] = (np.hypot(*error), cells)
    return errors


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    names = ("registered", "displacements", "cut", "input_tiles", "target_tiles")
    run(
        measure_registration,
        job.log[0],
        registration=[Path(path) for path in job.input.registration],
        truth=[Path(path) for path in job.input.truth],
        scans={name: [Path(path) for path in job.input[name]] for name in names}
        if job.params.stitched
        else None,
        sizes_nm=job.params.sizes_nm,
        provenance=job.params.provenance,
        table=Path(job.output[0]),
    )
