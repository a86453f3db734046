"""Experiment files: finding, reading, and merging with the file they are based on."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossres.jobs import InputError, shown
from crossres.settings.yaml_files import read_yaml

ONE_CHOICE = ("loss", "shares")
"""Sections that are replaced, not merged: terms of the other loss would remain in them."""

METHODS = ("networks", "deconvolution")
"""Sections whose entries null removes."""

Values = dict[str, Any]
"""Unchecked contents of a file."""


@dataclass(frozen=True)
class Layers:
    """Merged contents of a file and of those that it is based on.

    Parameters
    ----------
    settings, demo
        The settings at paper scale, and the overrides of ``demo``.
    files
        The file itself first, the base of all last.
    """

    settings: Values
    demo: Values
    files: tuple[Path, ...]


def find_experiment(name: str, folders: Sequence[Path], key: str = "experiments") -> Path:
    """Return the file of an experiment.

    Parameters
    ----------
    name
        A path of a YAML file, or the name of one in a folder.
    folders
        Where to look, in this order; config/experiments last.
    key
        Key that names it, for the message.

    Raises
    ------
    InputError
        There is none.
    """
    if name.endswith((".yaml", ".yml")):
        places = [Path(name).expanduser()]
    else:
        places = [folder / f"{name}.yaml" for folder in folders]
    for path in places:
        try:
            if path.is_file():
                return path
        except OSError as error:
            raise InputError(
                f"{key}: {shown(name)}: {error.strerror}; give another path"
            ) from error
    known = sorted({path.stem for folder in folders for path in folder.glob("*.yaml")})
    raise InputError(
        f"{key}: {shown(name)} is neither a file nor a name under {folders[-1]} "
        f"({nearest(name, known)})"
    )


def read_experiment(path: Path, folder: Path) -> Layers:
    """Return an experiment's file merged with those that it is based on.

    Settings and ``demo`` sections override those of the ``based_on`` file key by key. A method set
    to null is left out at both scales.

    Parameters
    ----------
    path
        Of the YAML file.
    folder
        config/experiments, where ``based_on`` is looked for unless it lies beside the file.

    Raises
    ------
    InputError
        Not YAML, no mapping, no such file to be based on, or a circle of them.
    """
    chain = [path]
    layers = [_read(path)]
    while (base := layers[-1][0].pop("based_on", None)) is not None:
        if not isinstance(base, str):
            raise InputError(f"{chain[-1]}: based_on is {base!r}; give the name of an experiment")
        found = find_experiment(base, [chain[-1].parent, folder], f"{chain[-1]}: based_on")
        if found.resolve() in [one.resolve() for one in chain]:
            circle = " -> ".join(one.stem for one in [*chain, found])
            raise InputError(f"{path}: based_on goes in a circle, {circle}; delete one of these")
        chain.append(found)
        layers.append(_read(found))
    settings, demo = layers.pop()
    while layers:
        own, own_demo = layers.pop()
        for section in METHODS:
            # the other file's demo must not bring back a method that is left out here
            for method, given in _mapping(own.get(section)).items():
                if given is None:
                    demo[section] = {**_mapping(demo.get(section)), method: None}
        settings, demo = merged(settings, own), merged(demo, own_demo)
    return Layers(settings, demo, tuple(chain))


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> Values:
    """Return ``base`` with the keys of ``over`` in place, mappings merged key by key."""
    result = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        both = both and key not in ONE_CHOICE
        result[key] = merged(result[key], value) if both else value
    return result


def nearest(name: str, known: Sequence[str]) -> str:
    """Return the most similar known name and all known names, in words."""
    close = difflib.get_close_matches(name, known, n=1)
    listed = "known: " + ", ".join(known)
    return f"did you mean {close[0]}? {listed}" if close else listed


def _read(path: Path) -> tuple[Values, Values]:
    """Return one file's settings and its demo section, with paths resolved."""
    settings = read_yaml(path)
    if not isinstance(settings, dict):
        raise InputError(f"{path}: holds no settings; see config/README.md")
    demo = settings.pop("demo", None) or {}
    if not isinstance(demo, dict):
        raise InputError(f"{path}: demo is {demo!r}; give keys of the experiment with their values")
    for values in (settings, demo):
        _locate_paths(values, path.parent)
    return settings, demo


def _locate_paths(values: Values, folder: Path) -> None:
    """Resolve paths: beside the file that names them, else where Snakemake runs."""
    source = values.get("source")
    networks = values.get("networks")
    for section, key in [
        (source, "sheet"),
        (source, "data_root"),
        *((network, "initialise_from") for network in _mapping(networks).values()),
    ]:
        path = section.get(key) if isinstance(section, dict) else None
        if isinstance(path, str) and (key != "initialise_from" or path.endswith(".safetensors")):
            section[key] = located(path, folder)


def located(text: str, folder: Path) -> str:
    """Return a path beside a file of settings if it exists there, else as given."""
    path = Path(text).expanduser()
    beside = folder / path
    return str(beside if beside.exists() else path)


def _mapping(value: Any) -> Values:
    """Return a copy of a section; an empty one for anything else."""
    return dict(value) if isinstance(value, Mapping) else {}
