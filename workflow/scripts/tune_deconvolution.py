"""Find the parameters at which a classical baseline is best on the validation split."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from crossres.images import fields_in, read_image
from crossres.jobs import logger, progress
from crossres.optics import modality_psf
from crossres.restoration.baseline import correlation, iterate_baseline, search_grid


def tune_deconvolution(
    method: str,
    pairs: Sequence[Path],
    modality: Mapping[str, Any],
    settings: Mapping[str, Any],
    background: str,
    threads: int,
    grid: Path,
    chosen: Path,
) -> None:
    """Write the mean correlation with the target over the whole grid, and its best point.

    Parameters
    ----------
    method
        "richardson_lucy" or "nnls".
    pairs
        Registered fields of the validation split.
    modality
        Optics of the input.
    settings
        Of this method.
    background
        ``deconvolution.background``.
    threads
        Cores to use.
    grid, chosen
        Table (csv) and best parameters (json).
    """
    torch.set_num_threads(threads)
    iterations, parameters = search_grid(method, settings)
    name = "damping" if method == "richardson_lucy" else "step"
    scores = np.zeros((len(parameters), iterations))
    todo = [(row, path) for row in range(len(parameters)) for path in pairs]
    for row, path in progress(todo, f"tuning {method}"):
        image = read_image(path)
        psf = modality_psf(modality, image.known_pixel_size_nm)
        estimates = iterate_baseline(
            method, image.channel("input"), psf, iterations, parameters[row], background
        )
        target = image.channel("target")
        scores[row] += [correlation(estimate, target) / len(pairs) for estimate in estimates]
    table = pd.DataFrame(
        [(p, i + 1, scores[r, i]) for r, p in enumerate(parameters) for i in range(iterations)],
        columns=[name, "iterations", "pearson_r"],
    )
    table.to_csv(grid, index=False)
    best = table.loc[table.pearson_r.idxmax()]
    at_limit = int(best.iterations) == iterations
    logger.info("best of %d: %s", len(table), best.to_dict())
    if at_limit:
        logger.info("the best lies at the last iteration searched: the true optimum may be beyond")
    chosen.write_text(
        json.dumps(
            {
                "method": method,
                "iterations": int(best.iterations),
                name: float(best[name]),
                "validation_pearson_r": float(best.pearson_r),
                "at_limit_of_grid": at_limit,
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    run(
        tune_deconvolution,
        job.log[0],
        method=job.wildcards.method,
        pairs=fields_in(job.input),
        modality=job.params.modality,
        settings=job.params.settings,
        background=job.params.background,
        threads=job.threads,
        grid=Path(job.output.grid),
        chosen=Path(job.output.chosen),
    )
