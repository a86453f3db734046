"""What surrounds a library call in a script: one clear sentence on error, a log, and progress."""

import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

logger = logging.getLogger("crossres")
Item = TypeVar("Item")

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
LONGEST = 60
"""Most characters of a user's value that a message shows."""

PROGRESS_LINE_EVERY_S = 20.0
"""Seconds between two plain progress lines in a log."""


class InputError(ValueError):
    """A user's mistake: the message names the file or key, what was found, and what to do."""


def shown(value: Any) -> str:
    """Return a user's value for a message, as YAML has it, truncated."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return cut(repr(value))


def cut(text: str) -> str:
    """Return a user's text for a message, truncated."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def limit_threads(threads: int) -> None:
    """Let this process and those that it starts compute on so many threads.

    Snakemake sets the same variables for its scripts; numpy reads them once, when it is imported.

    Parameters
    ----------
    threads
        Cores that the job was given.
    """
    os.environ |= dict.fromkeys(THREAD_VARIABLES, str(threads))
    # importing torch takes seconds; if it is imported later, it reads the variables
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(threads)


def run(step: Callable[..., Any], log: str, **arguments: Any) -> None:
    """Run one step of the workflow with its log, and end it clearly.

    An :class:`InputError` ends the process with its sentence alone, on the screen and in the log.
    Any other exception is a bug and keeps its traceback.

    Parameters
    ----------
    step
        The function of the script, called with ``arguments``.
    log
        Path of the log file; an older one is overwritten.
    """
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    # names of files need not be UTF-8
    file_handler = logging.FileHandler(log, "w", "utf-8", errors="backslashreplace")
    file_handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    logger.setLevel(logging.INFO)
    logger.addHandler(file_handler)
    try:
        step(**arguments)
    except InputError as error:
        logger.error("%s", error)
        print(f"\ncrossres: {error}\n", file=sys.stderr)
        sys.exit(1)
    except Exception:
        logger.exception("%s stopped on an unexpected error", step.__name__)
        raise
    finally:
        logger.removeHandler(file_handler)
        file_handler.close()


@contextmanager
def written_aside(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path, and rename it to ``path`` once it is written.

    A file under its own name is then always complete: a kill leaves only the hidden temporary file.
    The data is synced to disk before the rename, so that a power cut does no harm.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.partial")
    yield aside
    with aside.open("rb") as file:
        os.fsync(file.fileno())
    aside.replace(path)


def progress(
    items: Iterable[Item], label: str, total: int | None = None, start: int = 0
) -> Iterator[Item]:
    """Yield ``items`` while showing how far the work has come.

    On a terminal this is a bar; in the log it is a plain line now and then, with the time left.

    Parameters
    ----------
    items
        Items to yield.
    label
        Label of the bar and of the lines.
    total
        Number of items, where ``items`` has no length.
    start
        How many were done before, by an earlier run.
    """
    total = total if total is not None else start + len(items)  # type: ignore[arg-type]
    began = last_line = time.monotonic()
    # disable=None: tqdm stays silent where standard error is not a terminal
    bar = tqdm(items, desc=label, total=total, initial=start, disable=None, dynamic_ncols=True)
    for done, item in enumerate(bar, start=1):
        yield item
        now = time.monotonic()
        if now - last_line >= PROGRESS_LINE_EVERY_S or start + done == total:
            last_line = now
            left_s = (now - began) / done * (total - start - done)
            logger.info("%s: %d of %d, %.0f s left", label, start + done, total, left_s)
