"""Train one network with one seed, resuming where a killed run stopped."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crossres.catalogue.networks import NETWORKS
from crossres.jobs import InputError, logger, written_aside
from crossres.networks import choose_device, precision_of, save_model
from crossres.patches import load_patches
from crossres.training import (
    Diverged,
    Foreground,
    ProcessGroup,
    Recipe,
    TrainingData,
    facts_of,
    launch,
    train,
)


def train_network(
    group: ProcessGroup,
    patches: Mapping[str, Path],
    initial: Path | None,
    recipe: Recipe,
    provenance: Mapping[str, Any],
    device: str,
    threads: int,
    outputs: Mapping[str, Path],
) -> None:
    """Write the model with the best validation score, and the history of its training.

    Parameters
    ----------
    group
        The processes that share the training; rank 0 validates and writes.
    patches
        ``train`` and ``validation``, safetensors.
    initial
        A model to be fine-tuned, of the same architecture; None begins at random.
    recipe
        What is trained and how.
    provenance
        Stored in the model file; a saved state is only resumed with the same ``code``.
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
    recipe.require_shared_evenly(group.world_size)
    chosen = choose_device(device, threads, group.rank)
    training = load_patches(patches["train"])
    validation = load_patches(patches["validation"]) if group.rank == 0 else None
    fields = (validation.inputs, validation.targets) if validation else ([], [])
    data = TrainingData(training.inputs, training.targets, *fields, training.noise)
    network = recipe.build(training.inputs[0].shape, initial)
    weights_count = sum(p.numel() for p in network.parameters())
    logger.info("%s: %d weights, %d patches", recipe.network, weights_count, len(training.inputs))
    files = [*patches.values(), *([initial] if initial else [])]
    stamp = recipe.stamp(group.world_size, provenance["code"], files)
    state_path = outputs["model"].with_name("training_state.pt")
    settings, tuned = recipe.settings, initial is not None
    where = chosen, state_path, stamp, group
    try:
        found = train(network, data, settings, recipe.seed, *where, tuned, recipe.foreground)
    except InputError as error:
        rescued = ""
        if isinstance(error, Diverged) and error.weights and group.rank == 0:
            path = outputs["model"].with_name("before_divergence.safetensors")
            save_model(path, error.weights, recipe.model_file(training, provenance))
            rescued = f" ({path})"
        raise InputError(f"networks.{recipe.network}: {error}{rescued}") from None
    if group.rank > 0:
        return
    weights, history = found
    if not weights:
        raise InputError(
            f"networks.{recipe.network}: training never validated a candidate; raise iterations or "
            "lower validate_every"
        )
    facts = {**provenance, "iterations": settings.iterations, **facts_of(history)}
    facts["precision"] = str(precision_of(settings.precision, chosen)).removeprefix("torch.")
    save_model(outputs["model"], weights, recipe.model_file(training, facts))
    with written_aside(outputs["history"]) as aside:
        history.to_csv(aside, index=False)


if __name__ == "__main__":
    from crossres.jobs import limit_threads, run

    job = snakemake
    limit_threads(job.threads)
    run(
        launch,
        job.log[0],
        world_size=job.resources.processes,
        work=train_network,
        patches={"train": Path(job.input.train), "validation": Path(job.input.validation)},
        initial=next(map(Path, job.input.get("initial", [])), None),
        recipe=Recipe(
            job.wildcards.network,
            NETWORKS[job.wildcards.network](**job.params.settings),
            Foreground(**job.params.foreground),
            job.params.dims,
            int(job.wildcards.seed),
        ),
        provenance=job.params.provenance,
        device=job.resources.device,
        threads=job.threads,
        outputs={"model": Path(job.output.model), "history": Path(job.output.history)},
    )
