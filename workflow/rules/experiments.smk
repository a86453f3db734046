# What every stage asks of the configuration: the experiments, their settings, their batches.
import sys

sys.path.insert(0, str(Path(workflow.basedir) / "workflow" / "scripts"))

from snakemake.exceptions import WorkflowError

from crossres.catalogue.classical import CLASSICAL
from crossres.experiments import (
    MEASURED,
    ChannelResults,
    Layout,
    code_hash,
    load_experiments,
)
from crossres.jobs import InputError
from crossres.settings.reading import load_config

try:
    CONFIG = load_config(config)
    EXPERIMENTS = load_experiments(CONFIG, Path("config/experiments"))
except InputError as error:
    raise WorkflowError(str(error)) from None

# What was asked for is restored, measured, judged and reported. Of experiments that are only
# needed, for their models to begin from, just these models are built.
ASKED = [experiment for experiment in EXPERIMENTS.values() if experiment.asked]

# On one machine Snakemake cuts this down to the cores there are, so that two trainings never share
# its GPU; on a cluster the profile sets its own number (set-threads). A limit in profiles/default
# would hold there too, as Snakemake reads that file beside any --profile.
WHOLE_MACHINE = 1024
GPU = 0 if CONFIG.device == "cpu" else 1

NETWORK = (
    "|".join(sorted({name for e in EXPERIMENTS.values() for name in e.networks}))
    or "none"
)
CLASSIC = "|".join(CLASSICAL)


wildcard_constraints:
    experiment="|".join(map(re.escape, EXPERIMENTS)),
    channel="[A-Za-z0-9_-]+",
    role="input|target",
    batch=r"(train|validation|test|apply)_\d+",
    network=NETWORK,
    seed=r"\d+",
    method=CLASSIC,
    restoration=rf"({NETWORK})(\.seed_\d+|_ensemble)?|{CLASSIC}|input|target|truth",


def experiment_of(wildcards):
    return EXPERIMENTS[wildcards.experiment]


def settings(*keys):
    """Return a params function for a section of the experiment's settings, or one of its keys."""

    def section(wildcards):
        found = experiment_of(wildcards).settings
        for key in keys:
            found = getattr(found, key)
        return found.as_params() if hasattr(found, "as_params") else found

    return section


def modalities_of(wildcards):
    """Both microscopes as they are in one channel."""
    return experiment_of(wildcards).settings.modalities.in_channel(wildcards.channel)


def pixel_sizes_nm(wildcards):
    """Pixel sizes of both modalities, which a simulation states."""
    modalities = experiment_of(wildcards).settings.modalities
    return {
        role: getattr(modalities, role).pixel_size_nm for role in ("input", "target")
    }


def field_names(wildcards):
    batch = experiment_of(wildcards).in_batch(wildcards.channel, wildcards.batch)
    return [field.name for field in batch]


def scenes_of_fields(wildcards):
    """The scene of each field of a batch, None where fields are not cut from scans."""
    batch = experiment_of(wildcards).in_batch(wildcards.channel, wildcards.batch)
    return {field.name: field.scene for field in batch}


def of_batches(pattern, *splits):
    """Return an input function for what there is of every batch of some splits."""

    def paths(wildcards):
        batches = experiment_of(wildcards).batches(wildcards.channel, *splits)
        return expand(pattern, batch=batches, allow_missing=True)

    return paths


def provenance(script):
    """Return a params function for the columns that say where a table's numbers come from."""

    def columns(wildcards):
        return {
            "experiment": wildcards.experiment,
            "channel": wildcards.channel,
            "scale": CONFIG.scale,
            "data": "simulated" if experiment_of(wildcards).simulated else "measured",
            "code": code_hash(script),
        }

    return columns


def passed_on(path):
    """Mark a stage that is only passed on to the next, and deleted when it has been."""
    return path if CONFIG.keep_stages else temp(path)
