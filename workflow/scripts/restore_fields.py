"""Restore a batch of blind-test fields with trained networks; it sees inputs and models alone."""

from pathlib import Path

from crossres.images import fields_in
from crossres.jobs import logger, progress
from crossres.networks import choose_device
from crossres.restoration import Restorer, load_models
from crossres.settings import Restoration


def restore_fields(
    models: list[Path],
    fields: list[Path],
    settings: Restoration,
    share: float | None,
    device: str,
    threads: int,
    folder: Path,
) -> None:
    """Write <field>.ome.tif of every input, restored, in the counts of the target.

    Parameters
    ----------
    models
        One model.safetensors, or those of all seeds, which are averaged.
    fields
        Input images, (Y, X) or (Z, Y, X), on the target's grid.
    settings
        ``restoration`` of the experiment.
    share
        Of the first model in the mean; None where all count alike.
    device, threads
        Where to compute.
    folder
        Where to; the standard deviations of ensembles go to spread/ in it.
    """
    restorer = Restorer(
        load_models(models),
        choose_device(device, threads),
        settings.memory_gb,
        settings.tile_px,
        settings.self_ensemble,
        share,
    )
    for path in progress(fields, f"restoring with {restorer.model_file.network}"):
        spread = folder / "spread" / path.name if restorer.has_spread else None
        restorer.restore_file(path, folder / path.name, spread)
    logger.info("restored %d fields", len(fields))


if __name__ == "__main__":
    from crossres.jobs import limit_threads, run

    job = snakemake
    limit_threads(job.threads)
    run(
        restore_fields,
        job.log[0],
        models=[Path(path) for path in job.input.models],
        fields=fields_in([job.input.fields]),
        settings=Restoration(**job.params.settings),
        share=job.params.share,
        device=job.resources.device,
        threads=job.threads,
        folder=Path(job.output[0]),
    )
