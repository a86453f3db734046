"""Join the registration tables of all batches of a channel into one."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from crossres.images import read_field_table
from crossres.jobs import logger


def collect_registration(
    tables: Sequence[Path], provenance: Mapping[str, str], table: Path
) -> None:
    """Write registration.csv, a row a field.

    Parameters
    ----------
    tables
        One of each batch, named after it.
    provenance
        Columns that say where the numbers come from.
    table
        Where to.
    """
    parts = [read_field_table(path).assign(batch=path.stem) for path in tables]
    joined = pd.concat(parts, ignore_index=True).assign(**provenance)
    joined.to_csv(table, index=False)
    for row in joined[~joined.accepted].itertuples():
        logger.info("field %s is left out: %s", row.field, row.reason)


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    run(
        collect_registration,
        job.log[0],
        tables=[Path(path) for path in job.input],
        provenance=job.params.provenance,
        table=Path(job.output[0]),
    )
