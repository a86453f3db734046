"""Restore the blind-test fields with trained networks; it sees inputs and models, no more."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crossres.images import fields_in
from crossres.jobs import logger, progress
from crossres.networks import choose_device
from crossres.restoration import Restorer, load_models


def restore_fields(
    models: Sequence[Path],
    fields: Sequence[Path],
    settings: Mapping[str, Any],
    device: str,
    threads: int,
    restored: Path,
    spread: Path | None,
) -> None:
    """Write <field>.ome.tif of every input, restored, in the counts of the target.

    Parameters
    ----------
    models
        One model.safetensors, or those of all seeds, which are averaged.
    fields
        Input images at the target's pixel size.
    settings
        ``restoration`` of the experiment.
    device, threads
        Where to compute.
    restored
        Where to.
    spread
        Where the standard deviations of an ensemble go; None where there is none.
    """
    restorer = Restorer(
        load_models(models),
        choose_device(device, threads),
        settings["memory_gb"],
        settings["tile_px"],
        settings["self_ensemble"],
    )
    for path in progress(fields, f"restoring with {restorer.about.network}"):
        restorer.restore_file(path, restored / path.name, spread and spread / path.name)
    logger.info("restored %d fields", len(fields))


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    spreads = job.output.get("spread")
    run(
        restore_fields,
        job.log[0],
        models=[Path(path) for path in job.input.models],
        fields=fields_in(job.input.fields),
        settings=job.params.settings,
        device=job.resources.device,
        threads=job.threads,
        restored=Path(job.output.restored),
        spread=Path(spreads) if spreads else None,
    )
