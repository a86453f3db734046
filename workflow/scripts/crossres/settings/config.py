"""config.yaml: what is run, at which scale, and on what."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, Strict

from crossres.section import Positive, Section


def _listed(value: Any) -> Any:
    """Take a single name as a list: ``--config experiments=mine.yaml`` has no brackets.

    Snakemake reads the file name 20240115 as a number.
    """
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
    entries = value if isinstance(value, list | tuple) else [value]
    return [str(entry) if type(entry) in (int, float, date) else entry for entry in entries]


def _named_once(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"names {name} twice; delete one")
    return names


def _as_boolean(value: Any) -> Any:
    """Take true and false from the command line, which Snakemake passes as strings."""
    known = {"true": True, "false": False}
    return known.get(value.lower(), value) if isinstance(value, str) else value


Name = Annotated[str, Field(min_length=1)]


class Config(Section):
    """What is run, at which scale, and on what."""

    experiments: Annotated[
        tuple[Name, ...],
        Strict(False),
        Field(min_length=1),
        BeforeValidator(_listed),
        AfterValidator(_named_once),
    ]
    """Experiments to run: names of files under config/experiments, or paths of YAML files of your
    own. A list given with --configfile or --config replaces this one."""
    scale: Literal["demo", "paper"] = "demo"
    """`demo` applies the `demo:` section of each experiment, for two CPU cores and minutes;
    `paper` leaves the papers' numbers as they are, for a GPU and days."""
    fields_per_job: Positive = 50
    """Fields that one job imports, registers or simulates."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where networks train and restore: `auto` is a GPU where there is one; `cuda` is a GPU or an
    error; `cpu`."""
    gpus_per_training: Positive = 1
    """GPUs of one machine that share each training, the batch split between them."""
    keep_stages: Annotated[bool, BeforeValidator(_as_boolean)] = False
    """Keep intermediate images: imported, background-subtracted and stitched ones. By default they
    are deleted once used."""
