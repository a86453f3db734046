"""Measure every method on the blind-test fields, with one ruler."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crossres.images import field_name, fields_in, load_field, read_field_table, read_image
from crossres.jobs import InputError, logger, progress
from crossres.measure.field import UNITS, measure_field
from crossres.measure.scans import correlate_with_average


def measure_fields(
    pairs: Sequence[Path],
    restored: Mapping[str, Path],
    restorations: Sequence[tuple[str, str, int | None]],
    registration: Sequence[Path],
    scans: Sequence[Path],
    settings: Mapping[str, Any],
    provenance: Mapping[str, str],
    metrics: Path,
    structures: Path,
) -> None:
    """Write metrics.csv, a row per field, method, seed and metric, and structures.csv.

    Parameters
    ----------
    pairs
        Registered fields of the test split.
    restored
        Folder of each restoration, by its name.
    restorations
        (name, method, seed) of each.
    registration
        Registration tables; fields that were not accepted are not measured.
    scans
        Folders with further scans of the target, <field>_scan2.tif and so on; none where there was
        one scan.
    settings
        ``measure`` of the experiment.
    provenance
        Columns that say where the numbers come from.
    metrics, structures
        Where to.
    """
    shifts = pd.concat(map(read_field_table, registration)).set_index("field")
    labels = {name: (method, seed) for name, method, seed in restorations}
    labels |= {"input": ("input", None), "target": ("target", None)}
    metric_parts, structure_parts = [], []
    for path in progress(pairs, "measuring fields"):
        name = field_name(path)
        if not shifts.accepted[name]:
            logger.info("field %s is not measured: %s", name, shifts.reason[name])
            continue
        images, pixel_size_nm = load_field(path, restored)
        target = images.pop("target")
        values, places = measure_field(
            images,
            target,
            pixel_size_nm,
            settings.get("spots"),
            settings.get("modulation", {}).get("window_px"),
        )
        metric_parts.append(values.assign(field=name))
        others = [
            cut_alike(scan, path) for d in scans for scan in sorted(d.glob(f"{name}_scan*.tif"))
        ]
        if others:
            correlations = correlate_with_average(images, target, others)
            metric_parts.append(correlations.assign(field=name))
        structure_parts.append(places.assign(field=name))
    if not metric_parts:
        raise InputError(
            "no test pair was accepted by the registration, so nothing can be measured; see the "
            f"column `reason` of {registration[0]}"
        )
    write_table(metric_parts, labels, provenance, metrics)
    write_table(structure_parts, labels, provenance, structures)


def cut_alike(scan: Path, pair: Path) -> np.ndarray:
    """Return the part of a whole scan that a registered pair shows."""
    registered = read_image(pair)
    top, left = registered.corner_px
    height, width = registered.channel("target").shape
    return read_image(scan).array[top : top + height, left : left + width]


def write_table(
    parts: Sequence[pd.DataFrame],
    labels: Mapping[str, tuple[str, int | None]],
    provenance: Mapping[str, str],
    path: Path,
) -> None:
    """Join the fields' tables, name method and seed of each restoration, add units, and write."""
    table = pd.concat(parts, ignore_index=True)
    table["seed"] = pd.array([labels[name][1] for name in table.method], dtype="Int64")
    table["method"] = [labels[name][0] for name in table.method]
    table["unit"] = table.metric.map({**UNITS, "peak": "counts", "angle_degree": "degree"})
    first = ["field", "method", "seed", "structure", "y_nm", "x_nm", "metric", "value", "unit"]
    table = table[[column for column in first if column in table]].assign(**provenance)
    table.to_csv(path, index=False)
    logger.info("%s: %d rows", path, len(table))


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    names = [name for name, _, _ in job.params.restorations]
    run(
        measure_fields,
        job.log[0],
        pairs=fields_in(job.input.pairs),
        restored=dict(zip(names, map(Path, job.input.restored), strict=True)),
        restorations=job.params.restorations,
        registration=[Path(p) for p in job.input.registration],
        scans=[Path(p) for p in job.input.scans],
        settings=job.params.settings,
        provenance=job.params.provenance,
        metrics=Path(job.output.metrics),
        structures=Path(job.output.structures),
    )
