# What every stage asks of the configuration: the experiments, and where their files lie.
import sys
from itertools import chain

sys.path.insert(0, str(Path(workflow.basedir) / "workflow" / "scripts"))

from snakemake.exceptions import WorkflowError

from crossres.experiments import (
    USAGE,
    InitialModel,
    code_hash,
    has_braces,
    initial_model,
    load_config,
    load_experiments,
    new_folder,
    new_images,
    new_models,
    skipped_files,
    tile_name,
)
from crossres.jobs import InputError

try:
    CONFIG = load_config(config)
    # new images are restored by a model alone, wherever the data it was trained on may be
    EXPERIMENTS = (
        load_experiments(CONFIG, Path("config/experiments"))
        if CONFIG["model"] is None
        else {}
    )
except InputError as error:
    raise WorkflowError(str(error)) from None

# What was asked for is restored, measured, judged and reported. Of an experiment that is only
# needed, for its models to begin from, no more is made than these take.
ASKED = {
    name: experiment for name, experiment in EXPERIMENTS.items() if experiment.asked
}

# On one machine Snakemake cuts this down to the cores there are, so that two trainings never share
# its GPU; on a cluster the profile sets its own number (set-threads). A limit in profiles/default
# would hold there too, as Snakemake reads that file beside any --profile.
WHOLE_MACHINE = 1024
CHANNEL = "results/{experiment}/{channel}"


NETWORK = (
    "|".join(sorted({n for e in EXPERIMENTS.values() for n in e.networks})) or "none"
)


wildcard_constraints:
    experiment="|".join(map(re.escape, EXPERIMENTS)) or "none",
    channel="[A-Za-z0-9_-]+",
    role="input|target",
    batch=r"(train|validation|test|apply)_\d+",
    network=NETWORK,
    seed=r"\d+",
    method="richardson_lucy|nnls",
    restoration=rf"({NETWORK})(\.seed_\d+|_ensemble)?",


def experiment_of(wildcards):
    return EXPERIMENTS[wildcards.experiment]


def settings_of(wildcards, *keys):
    """Return a part of an experiment's settings, by its keys."""
    part = experiment_of(wildcards).settings
    for key in keys:
        part = part[key]
    return part


def setting(*keys):
    """Return a params function for a part of the experiment's settings."""
    return lambda wildcards: settings_of(wildcards, *keys)


def field_names(wildcards):
    batch = experiment_of(wildcards).in_batch(wildcards.channel, wildcards.batch)
    return [field.name for field in batch]


def provenance(script):
    """Return a params function for the columns that say where a table's numbers come from."""
    code = code_hash(script)

    def columns(wildcards):
        simulated = experiment_of(wildcards).simulated
        return {
            "experiment": wildcards.experiment,
            "channel": wildcards.channel,
            "scale": CONFIG["scale"],
            "data": "simulated" if simulated else "measured",
            "code": code,
        }

    return columns


def batch_folders(pattern, *splits):
    """Return an input function for the folders of all batches of some splits."""

    def folders(wildcards):
        batches = experiment_of(wildcards).batches(wildcards.channel, *splits)
        return expand(pattern, batch=batches, allow_missing=True)

    return folders
