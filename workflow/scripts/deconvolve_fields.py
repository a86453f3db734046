"""Restore a batch of blind-test fields with a classical method at its best parameters."""

import json
from functools import cache, partial
from pathlib import Path

from pydantic import TypeAdapter

from crossres.deconvolution.baseline import iterate_baseline
from crossres.deconvolution.chosen import Chosen
from crossres.images import fields_in, read_image, write_image
from crossres.jobs import logger, progress
from crossres.optics import modality_psf
from crossres.settings import Microscope
from crossres.settings.optics import AnyMicroscope


def deconvolve_fields(
    chosen: Path, fields: list[Path], microscope: Microscope, background: str, folder: Path
) -> None:
    """Write <field>.ome.tif of every input, deconvolved.

    Parameters
    ----------
    chosen
        Method and parameters, as found on the validation split.
    fields
        Input images, (Y, X) or (Z, Y, X), on the target's grid.
    microscope
        Optics of the input.
    background
        ``deconvolution.background``.
    folder
        Where to.
    """
    best = Chosen.from_json(json.loads(chosen.read_text()))
    psf_of = cache(partial(modality_psf, microscope))
    for path in progress(fields, best.method):
        image = read_image(path)
        psf = psf_of(image.known_pixel_size_nm, image.z_step_nm)
        *_, restored = iterate_baseline(
            best.method, image.array, psf, best.iterations, best.parameter, background
        )
        write_image(folder / path.name, image.like(restored))
    logger.info("restored %d fields with %s", len(fields), best)


if __name__ == "__main__":
    from crossres.jobs import limit_threads, run

    job = snakemake
    limit_threads(job.threads)
    run(
        deconvolve_fields,
        job.log[0],
        chosen=Path(job.input.chosen),
        fields=fields_in([job.input.fields]),
        microscope=TypeAdapter(AnyMicroscope).validate_python(job.params.modality),
        background=job.params.background,
        folder=Path(job.output[0]),
    )
