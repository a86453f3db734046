"""Restore the blind-test fields with a classical baseline at its best parameters."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from crossres.images import Image, fields_in, read_image, write_image
from crossres.jobs import logger, progress
from crossres.optics import modality_psf
from crossres.restoration.baseline import iterate_baseline


def deconvolve_fields(
    chosen: Path,
    fields: Sequence[Path],
    modality: Mapping[str, Any],
    background: str,
    threads: int,
    folder: Path,
) -> None:
    """Write <field>.ome.tif of every input, deconvolved.

    Parameters
    ----------
    chosen
        Method and parameters, as found on the validation split.
    fields
        Input images at the target's pixel size.
    modality
        Optics of the input.
    background
        ``deconvolution.background``.
    threads
        Cores to use.
    folder
        Where to.
    """
    torch.set_num_threads(threads)
    best = json.loads(chosen.read_text())
    method, iterations = best["method"], best["iterations"]
    parameter = best["damping" if method == "richardson_lucy" else "step"]
    for path in progress(fields, method):
        image = read_image(path)
        psf = modality_psf(modality, image.known_pixel_size_nm)
        *_, restored = iterate_baseline(method, image.array, psf, iterations, parameter, background)
        write_image(folder / path.name, Image(restored, image.axes, image.pixel_size_nm))
    logger.info("restored %d fields with %s", len(fields), best)


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    run(
        deconvolve_fields,
        job.log[0],
        chosen=Path(job.input.chosen),
        fields=fields_in(job.input.fields),
        modality=job.params.modality,
        background=job.params.background,
        threads=job.threads,
        folder=Path(job.output[0]),
    )
