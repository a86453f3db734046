"""Choose the parameters at which a classical method is best on the validation split."""

import json
from pathlib import Path

import pandas as pd

from crossres.deconvolution.chosen import Chosen, mean_grid
from crossres.jobs import logger


def choose_deconvolution(method: str, grids: list[Path], grid: Path, chosen: Path) -> None:
    """Write the mean over all validation fields and its best point.

    Parameters
    ----------
    method
        Name of the classical method.
    grids
        Tables of ``tune_deconvolution``, one a batch.
    grid, chosen
        Table (csv) and best parameters (json).
    """
    table = mean_grid([pd.read_csv(path) for path in grids])
    table.to_csv(grid, index=False)
    best = Chosen.best_of(method, table)
    logger.info("best of %d: %s", len(table), best)
    if best.at_limit_of_grid:
        logger.info("the best lies at the last iteration searched: the true optimum may be beyond")
    chosen.write_text(json.dumps(best.as_json(), indent=2))


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake
    run(
        choose_deconvolution,
        job.log[0],
        method=job.params.method,
        grids=[Path(path) for path in job.input],
        grid=Path(job.output.grid),
        chosen=Path(job.output.chosen),
    )
