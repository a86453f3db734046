"""The side file from which a killed training resumes."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch

from crossres.jobs import logger, written_aside


def stamp_of(facts: Sequence[Any], files: Iterable[Path]) -> str:
    """Return a hash of facts, JSON values, and of the contents of files."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for path in files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def save_state(path: Path, stamp: str, state: dict[str, Any]) -> None:
    """Write the training state whole or not at all: a kill while writing does no harm.

    Parameters
    ----------
    path
        The side file.
    stamp
        Hash of configuration, code and data; a state with another stamp is not resumed.
    state
        Tensors, numbers, strings, and lists and dicts of them.
    """
    with written_aside(path) as aside:
        torch.save({"stamp": stamp, **state}, aside)


def load_state(path: Path, stamp: str) -> dict[str, Any] | None:
    """Return the state to resume from, or None if there is none that fits.

    A state of another configuration, code or data is set aside as ``<name>.other``, with a line in
    the log, and training begins anew. After a mistyped key, nothing is lost.
    """
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # a damaged side file costs time, not the result
        logger.info("%s cannot be read (%s); training begins anew", path, error)
        return None
    if state.get("stamp") != stamp:
        aside = path.with_name(f"{path.name}.other")
        path.replace(aside)
        logger.info(
            "%s is of another configuration, code or data; training begins anew, and the state is "
            "set aside as %s",
            path,
            aside.name,
        )
        return None
    return state
