"""Try all parameters of a classical method on one batch of the validation split."""

from functools import cache, partial
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from crossres.catalogue.classical import CLASSICAL, Classical
from crossres.deconvolution.chosen import grid_table
from crossres.deconvolution.tuning import search
from crossres.images import fields_in, read_image
from crossres.jobs import progress
from crossres.optics import modality_psf
from crossres.settings import Microscope
from crossres.settings.optics import AnyMicroscope


def tune_deconvolution(
    method: str,
    settings: Classical,
    pairs: list[Path],
    microscope: Microscope,
    background: str,
    grid: Path,
) -> None:
    """Write the mean correlation with the target over the grid, and the number of fields.

    Parameters
    ----------
    method
        Name of the classical method.
    settings
        Its grid of parameters.
    pairs
        Registered fields, images or volumes.
    microscope
        Optics of the input.
    background
        ``deconvolution.background``.
    grid
        Table (csv): the method's parameter, iterations, pearson_r, fields.
    """
    psf_of = cache(partial(modality_psf, microscope))
    scores = np.zeros((len(settings.values), settings.max_iterations))
    for path in progress(pairs, f"tuning {method}"):
        image = read_image(path)
        psf = psf_of(image.known_pixel_size_nm, image.z_step_nm)
        pair = (image.channel("input"), image.channel("target"))
        scores += search(method, settings, *pair, psf, background) / len(pairs)
    grid_table(scores, settings).assign(fields=len(pairs)).to_csv(grid, index=False)


if __name__ == "__main__":
    from crossres.jobs import limit_threads, run

    job = snakemake
    limit_threads(job.threads)
    run(
        tune_deconvolution,
        job.log[0],
        method=job.params.method,
        settings=CLASSICAL[job.params.method](**job.params.settings),
        pairs=fields_in([job.input[0]]),
        microscope=TypeAdapter(AnyMicroscope).validate_python(job.params.modality),
        background=job.params.background,
        grid=Path(job.output[0]),
    )
