"""Reading and checking the configuration: unknown keys, wrong values, contradictions."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from crossres.catalogue.networks import NETWORKS
from crossres.jobs import InputError
from crossres.settings.config import Config
from crossres.settings.consistency import contradictions
from crossres.settings.experiment import ExperimentFile, ExperimentSettings
from crossres.settings.experiment_files import (
    Layers,
    Values,
    find_experiment,
    merged,
    read_experiment,
)
from crossres.settings.sentences import sentence_of


def load_config(config: Mapping[str, Any]) -> Config:
    """Return the workflow's configuration, checked, with defaults filled in.

    Raises
    ------
    InputError
        Naming the key, what was found, and what is allowed.
    """
    try:
        return Config.model_validate(dict(config))
    except ValidationError as error:
        raise _refusal("configuration", sentence_of(error, Config)) from error


def load_experiment_settings(name: str, scale: str, folder: Path) -> ExperimentSettings:
    """Return one experiment's settings at a scale, checked, with defaults filled in.

    Paths of ``source`` and of models to begin from are looked for beside the file that names
    them, then where Snakemake runs.

    Parameters
    ----------
    name
        Name of a file in ``folder``, or a path of a YAML file.
    scale
        "demo" merges the file's ``demo`` section over the rest; "paper" leaves it out.
    folder
        config/experiments.

    Raises
    ------
    InputError
        No such file, not YAML, a key or value that cannot be, or keys that contradict each other.
    """
    layers = read_experiment(find_experiment(name, [folder]), folder)
    where = str(layers.files[0])
    if len(layers.files) > 1:
        where += f" (based on {', '.join(map(str, layers.files[1:]))})"
    # both scales are checked: a wrong key should not wait for the day the other one is run
    at_scale = {
        "paper": _checked(layers.settings, where),
        "demo": _checked(at_demo_scale(layers), f"{where}, with its demo section"),
    }
    return at_scale[scale]


def at_demo_scale(layers: Layers) -> Values:
    """Return an experiment's contents at the scale of the demo.

    Its ``demo`` section overrides the rest. A network of which it says nothing takes the values of
    the catalogue's demo, unless a key of it is given another value: one recipe or the other, as a
    mixture would be neither.
    """
    own = layers.demo.get("networks")
    told = own if isinstance(own, dict) else {}
    networks = layers.settings.get("networks")
    asked = networks if isinstance(networks, dict) else {}
    first = {
        name: NETWORKS[name].demo
        for name, given in asked.items()
        if name in NETWORKS
        and name not in told
        and isinstance(given, dict)
        and all(value == given.get(key, value) for key, value in NETWORKS[name].demo.items())
    }
    return merged(merged(layers.settings, {"networks": first} if first else {}), layers.demo)


def _checked(values: Mapping[str, Any], where: str) -> ExperimentSettings:
    try:
        settings = ExperimentSettings.model_validate(dict(values))
    except ValidationError as error:
        raise _refusal(where, sentence_of(error, ExperimentFile)) from error
    for sentence in contradictions(settings):
        raise InputError(f"{where}: {sentence}")
    return settings


def _refusal(where: str, sentence: str) -> InputError:
    return InputError(f"{where}: {sentence}; config/README.md lists every key")
