"""Train one network with one seed, going on from where a killed run stopped."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from crossres.jobs import InputError, logger, written_aside
from crossres.networks import ModelFile, build, choose_device, save_model
from crossres.patches import load_patches
from crossres.training import TrainingData, train


def train_network(
    patches: Mapping[str, Path],
    network: str,
    settings: Mapping[str, Any],
    seed: int,
    dims: int,
    code: str,
    device: str,
    threads: int,
    outputs: Mapping[str, Path],
) -> None:
    """Write the model that validated best, and the history of its training.

    Parameters
    ----------
    patches
        ``train`` and ``validation``, safetensors.
    network
        Name in the registry.
    settings
        Of this network in the experiment.
    seed
        Of the weights and of the batches.
    dims
        2 for images.
    code
        Hash of the code, part of what a saved state must agree with.
    device, threads
        Where to compute.
    outputs
        ``model`` and ``history``.
    """
    chosen = choose_device(device, threads)
    training, validation = (load_patches(patches[split]) for split in ("train", "validation"))
    model_settings = {"width": settings["width"]}
    torch.manual_seed(seed)
    model = build(network, dims, **model_settings)
    logger.info(
        "%s: %d parameters, %d patches",
        network,
        sum(p.numel() for p in model.parameters()),
        len(training.inputs),
    )
    data = TrainingData(training.inputs, training.targets, validation.inputs, validation.targets)
    # the number of seeds trained beside this one changes nothing in this one
    own = {key: value for key, value in settings.items() if key != "seeds"}
    stamp = stamp_of([own, network, seed, code], patches.values())
    weights, history = train(
        model, data, own, seed, chosen, outputs["model"].with_name("training_state.pt"), stamp
    )
    if not weights:
        raise InputError(
            f"networks.{network}: training never validated a candidate; raise iterations or lower "
            "validate_every"
        )
    about = ModelFile(
        network,
        model_settings,
        dims,
        training.scales["input"],
        training.scales["target"],
        training.pixel_size_nm,
        training.percentiles_per_image,
    )
    save_model(outputs["model"], weights, about)
    with written_aside(outputs["history"]) as aside:
        history.to_csv(aside, index=False)
    kept = history[history.kept].iloc[0]
    lowest = history.loc[history.validation_mse.idxmin()]
    logger.info(
        "kept iteration %d (score %.4g, MSE %.4g); the lowest MSE was %.4g at iteration %d",
        kept.iteration,
        kept.validation_score,
        kept.validation_mse,
        lowest.validation_mse,
        lowest.iteration,
    )


def stamp_of(settings: Sequence[Any], files: Any) -> str:
    """Return a hash of settings and of the contents of files."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for path in files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    run(
        train_network,
        job.log[0],
        patches={"train": Path(job.input.train), "validation": Path(job.input.validation)},
        network=job.wildcards.network,
        settings=job.params.settings,
        seed=int(job.wildcards.seed),
        dims=job.params.dims,
        code=job.params.code,
        device=job.resources.device,
        threads=job.threads,
        outputs={"model": Path(job.output.model), "history": Path(job.output.history)},
    )
