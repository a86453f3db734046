"""Join the tables of all batches, and of all restorations, into one of the channel."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from crossres.images import read_field_table
from crossres.jobs import InputError, logger
from crossres.measure.registry import quantities

FIRST_COLUMNS = ("field", "method", "seed", "structure", "z_nm", "y_nm", "x_nm")
COLUMNS = (*FIRST_COLUMNS, "metric", "value", "unit")
"""Columns of metrics.csv and structures.csv, in their order."""


def collect_tables(
    files: Sequence[Path],
    kind: str,
    restorations: Sequence[Mapping[str, Any]],
    provenance: Mapping[str, str],
    table: Path,
) -> None:
    """Write the joined table.

    Parameters
    ----------
    files
        Tables of batches; of measurements, those of each restoration and batch.
    kind
        "registration", "registration_error", "metrics" or "structures".
    restorations
        ``name``, ``method`` and ``seed`` of the restoration that each file is about; empty for
        the tables of registrations.
    provenance
        Columns that say where the numbers come from.
    table
        Where to.

    Raises
    ------
    InputError
        Nothing was measured.
    """
    parts = [read_field_table(path) for path in files]
    if kind == "registration":
        parts = [part.assign(batch=path.stem) for part, path in zip(parts, files, strict=True)]
    elif restorations:
        parts = [
            part.assign(method=entry["method"], seed=pd.array([entry["seed"]] * len(part), "Int64"))
            for part, entry in zip(parts, restorations, strict=True)
        ]
    joined = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    if kind == "metrics" and joined.empty:
        raise InputError(
            "no test pair was accepted by the registration, so nothing can be measured; see the "
            f"column `reason` of {table.with_name('registration.csv')}"
        )
    if restorations:
        joined["unit"] = joined.metric.map({name: q.unit for name, q in quantities().items()})
        joined = joined[[column for column in COLUMNS if column in joined]]
    joined.assign(**provenance).to_csv(table, index=False)
    logger.info("%s: %d rows", table, len(joined))
    if kind == "registration":
        for row in joined[~joined.accepted].itertuples():
            logger.info("field %s is left out: %s", row.field, row.reason)


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake
    run(
        collect_tables,
        job.log[0],
        files=[Path(path) for path in job.input.files],
        kind=job.params.kind,
        restorations=job.params.get("restorations", []),
        provenance=job.params.provenance,
        table=Path(job.output[0]),
    )
