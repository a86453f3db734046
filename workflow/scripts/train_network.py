"""Train one network with one seed, going on from where a killed run stopped."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from crossres.jobs import InputError, logger, written_aside
from crossres.networks import (
    ModelFile,
    architecture,
    build,
    choose_device,
    load_model,
    precision_of,
    save_model,
    takes_field,
)
from crossres.patches import PatchSet, load_patches
from crossres.training import Diverged, Team, TrainingData, run_team, train


def train_network(
    team: Team,
    patches: Mapping[str, Path],
    initial: Path | None,
    network: str,
    settings: Mapping[str, Any],
    seed: int,
    dims: int,
    about: Mapping[str, Any],
    device: str,
    threads: int,
    outputs: Mapping[str, Path],
) -> None:
    """Write the model that validated best, and the history of its training.

    Parameters
    ----------
    team
        The processes that share the training; the first writes.
    patches
        ``train`` and ``validation``, safetensors.
    initial
        A model to be fine-tuned, of the same architecture; None begins at random.
    network
        Name in the registry.
    settings
        Of this network in the experiment, and what of ``patches`` says which crops show something.
    seed
        Of the weights and of the batches.
    dims
        2 for images, 3 for volumes.
    about
        What the model file says of its origin; its ``code`` is part of what a saved state must
        agree with.
    device, threads
        Where to compute.
    outputs
        ``model`` and ``history``.

    Raises
    ------
    InputError
        The training diverged, never validated a candidate, or cannot begin from ``initial``; or
        the batch cannot be shared evenly.
    """
    if settings["batch"] % team.size:
        raise InputError(
            f"networks.{network}.batch is {settings['batch']}, which {team.size} GPUs cannot share "
            f"evenly; make it a multiple of gpus_per_training ({team.size})"
        )
    chosen = choose_device(device, threads, team.rank)
    training = load_patches(patches["train"])
    fields: Sequence[Any] = ([], [])
    if team.rank == 0:  # which alone validates
        validation = load_patches(patches["validation"])
        fields = (validation.inputs, validation.targets)
    data = TrainingData(training.inputs, training.targets, *fields)
    shape = shape_of(network, settings, training.inputs.shape[1:])
    torch.manual_seed(seed)
    model = build(network, dims, **shape)
    if initial is not None:
        model.load_state_dict(weights_of(initial, network, dims, shape))
    weights_count = sum(p.numel() for p in model.parameters())
    logger.info("%s: %d weights, %d patches", network, weights_count, len(training.inputs))
    # the number of seeds trained beside this one changes nothing in this one
    own = {key: value for key, value in settings.items() if key != "seeds"}
    files = [*patches.values(), *([initial] if initial else [])]
    stamp = stamp_of([own, network, seed, team.size, about["code"]], files)
    state_path = outputs["model"].with_name("training_state.pt")
    try:
        tuned = initial is not None
        weights, history = train(model, data, own, seed, chosen, state_path, stamp, team, tuned)
    except Diverged as error:
        if error.weights and team.rank == 0:
            rescued = outputs["model"].with_name("before_divergence.safetensors")
            save_model(rescued, error.weights, model_file(network, shape, dims, training, about))
            raise InputError(f"networks.{network}: {error} ({rescued})") from None
        raise InputError(f"networks.{network}: {error}") from None
    except InputError as error:
        raise InputError(f"networks.{network}: {error}") from None
    if team.rank > 0:
        return
    if not weights:
        raise InputError(
            f"networks.{network}: training never validated a candidate; raise iterations or lower "
            "validate_every"
        )
    facts = {**about, "seed": seed, "iterations": settings["iterations"], **kept_of(history)}
    facts["patches"] = len(training.inputs)
    facts["precision"] = str(precision_of(settings["precision"], chosen)).removeprefix("torch.")
    save_model(outputs["model"], weights, model_file(network, shape, dims, training, facts))
    with written_aside(outputs["history"]) as aside:
        history.to_csv(aside, index=False)


def shape_of(
    network: str, settings: Mapping[str, Any], patch_px: tuple[int, ...]
) -> dict[str, Any]:
    """Return what a network is built from; attention learns over the field of a patch."""
    shape = architecture(network, settings)
    if takes_field(network):
        side = settings["crop_px"] or patch_px[-1]
        shape["field_px"] = (*patch_px[:-2], side, side)
    return shape


def kept_of(history: pd.DataFrame) -> dict[str, Any]:
    """Return which iteration was kept and its error, and log them beside the lowest error."""
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
    return {"kept_iteration": int(kept.iteration), "validation_mse": float(kept.validation_mse)}


def model_file(
    network: str, shape: Mapping[str, Any], dims: int, training: PatchSet, facts: Mapping[str, Any]
) -> ModelFile:
    """Return what the model file says of its model."""
    return ModelFile(
        network,
        dict(shape),
        dims,
        training.scales["input"],
        training.scales["target"],
        training.pixel_size_nm,
        training.percentiles_per_image,
        trained=dict(facts),
        background=training.background,
        input_pixel_size_nm=training.input_pixel_size_nm,
        interpolation_order=training.interpolation_order,
    )


def weights_of(
    initial: Path, network: str, dims: int, shape: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """Return the weights to begin with, where their network has this shape.

    The field that attention pools over belongs to the patches, not to the weights.
    """
    model, about = load_model(initial)
    found, wanted = (
        {key: value for key, value in settings.items() if key != "field_px"}
        for settings in (about.settings, shape)
    )
    if (about.network, about.dims, found) != (network, dims, wanted):
        raise InputError(
            f"networks.{network}.initialise_from: {initial} is a {about.dims}D {about.network} "
            f"with {found}; expected a {dims}D {network} with {wanted}: give both experiments the "
            "same architecture"
        )
    return model.state_dict()


def stamp_of(settings: Sequence[Any], files: Any) -> str:
    """Return a hash of settings and of the contents of files."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for path in files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]
    run(
        run_team,
        job.log[0],
        size=job.resources.processes,
        work=train_network,
        patches={"train": Path(job.input.train), "validation": Path(job.input.validation)},
        initial=next(map(Path, job.input.get("initial", [])), None),
        network=job.wildcards.network,
        settings=job.params.settings,
        seed=int(job.wildcards.seed),
        dims=job.params.dims,
        about=job.params.about,
        device=job.resources.device,
        threads=job.threads,
        outputs={"model": Path(job.output.model), "history": Path(job.output.history)},
    )
