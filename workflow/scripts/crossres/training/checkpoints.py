"""The side file from which a killed training goes on."""

from pathlib import Path
from typing import Any

import torch

from crossres.jobs import logger, written_aside


def save_state(path: Path, stamp: str, state: dict[str, Any]) -> None:
    """Write the training state aside, then rename: a kill while writing harms nothing.

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
    """Return the state to go on from, or None where there is none that fits.

    A state of another configuration, code or data is refused with a line in the log, and
    training begins anew; the state is set aside as ``<name>.other``, so that whoever mistyped a
    key loses nothing.
    """
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # a damaged side file costs time, never the result
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
