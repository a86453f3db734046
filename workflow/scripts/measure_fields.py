"""Measure one restoration on one batch of blind-test fields, with the ruler used for all."""

from pathlib import Path

import numpy as np
import pandas as pd

from crossres.catalogue.methods import TARGET, TRUTH
from crossres.images import Image, field_name, fields_in, read_field_table, read_image
from crossres.jobs import logger, progress
from crossres.measure import MeasuredImage, measure_field
from crossres.measure.field import PLACES
from crossres.settings import Measure


def measure_fields(
    pairs: Path,
    registration: Path,
    restored: Path | None,
    truth: Path | None,
    scans: Path | None,
    method: str,
    settings: Measure,
    dims: int,
    metrics: Path,
    structures: Path,
) -> None:
    """Write a row per field and metric, and the same per bead or pair with its place.

    Parameters
    ----------
    pairs
        Folder of registered test fields.
    registration
        Their table; fields that were not accepted are not measured.
    restored
        Folder of the restored fields; None of the methods input, target and truth.
    truth
        Folder of the noiseless images of simulated fields; None of real ones.
    scans
        Folder with further scans of the target, <field>_scan2.tif and so on; None where there was
        one scan.
    method
        Name of the restoration.
    settings
        ``measure`` of the experiment.
    dims
        2 or 3.
    metrics, structures
        Where to.
    """
    table = read_field_table(registration).set_index("field")
    last = ["metric", "value"]
    parts = (
        [pd.DataFrame(columns=["field", *last])],
        [pd.DataFrame(columns=["field", "structure", *PLACES[dims], *last])],
    )
    for path in progress(fields_in([pairs]), f"measuring {method}"):
        name = field_name(path)
        if not table.accepted[name]:
            logger.info("field %s is not measured: %s", name, table.reason[name])
            continue
        seen = load_measured(path, restored, truth, scans, method, settings)
        for rows, found in zip(parts, measure_field(seen), strict=True):
            if len(found):
                found.insert(0, "field", name)
                rows.append(found)
    for rows, where in zip(parts, (metrics, structures), strict=True):
        joined = pd.concat(rows[1:] or rows, ignore_index=True)
        joined.to_csv(where, index=False)
        logger.info("%s: %d rows", where, len(joined))


def load_measured(
    path: Path,
    restored: Path | None,
    truth: Path | None,
    scans: Path | None,
    method: str,
    settings: Measure,
) -> MeasuredImage:
    """Return what is measured of a field, everything cut as its registered pair is."""
    pair = read_image(path)
    further = [] if scans is None else sorted(scans.glob(f"{field_name(path)}_scan*.tif"))
    folder = truth if method == TRUTH else restored
    return MeasuredImage(
        method=method,
        image=pair.channel(method) if folder is None else shown_by(pair, folder / path.name),
        target=pair.channel(TARGET),
        pixel_size_nm=pair.known_pixel_size_nm,
        z_step_nm=pair.z_step_nm,
        settings=settings,
        truth=None if truth is None else shown_by(pair, truth / path.name),
        scans=tuple(shown_by(pair, scan) for scan in further),
    )


def shown_by(pair: Image, path: Path) -> np.ndarray:
    """Return the part of a whole field that a registered pair shows."""
    top, left = pair.corner_px
    height, width = pair.array.shape[-2:]
    return read_image(path).array[..., top : top + height, left : left + width]


if __name__ == "__main__":
    from crossres.jobs import limit_threads, run

    job = snakemake
    limit_threads(job.threads)
    optional = {name: job.input.get(name) for name in ("restored", "truth", "scans")}
    run(
        measure_fields,
        job.log[0],
        pairs=Path(job.input.pairs),
        registration=Path(job.input.registration),
        **{name: Path(str(found)) if found else None for name, found in optional.items()},
        method=job.params.method,
        settings=Measure(**job.params.settings),
        dims=job.params.dims,
        metrics=Path(job.output.metrics),
        structures=Path(job.output.structures),
    )
