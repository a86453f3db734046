"""Several processes for one training, a GPU each, and one that watches over them."""

import json
import logging
import math
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from tqdm import tqdm

from crossres.jobs import InputError, logger
from crossres.training.team import Team

PATIENCE = timedelta(minutes=30)
"""How long the others wait for the first process while it validates."""

GRACE_S = 10.0
"""Seconds that the other processes have to end by themselves once one has failed."""


class _Word(NamedTuple):
    """What a process tells: "log", and at last "done", "refused" or "failed"; else it is "gone".

    Texts and numbers alone, which travel as JSON; ``level`` is that of a line of the log.
    """

    kind: str
    text: str
    moment: float
    level: int = logging.INFO


class _Told(logging.Handler):
    """Passes on what is logged."""

    def __init__(self, say: Callable[[str, str, int], None]) -> None:
        super().__init__()
        self.say = say

    def emit(self, record: logging.LogRecord) -> None:
        self.say("log", record.getMessage(), record.levelno)


def run_team(size: int, work: Callable[..., None], device: str, **arguments: Any) -> None:
    """Run ``work(team, device=device, **arguments)`` in several processes.

    This process only watches over them; of what they log, it passes on what the first does. When
    one fails the others are ended too. With a size of 1 the work is done here, and none is started.

    Parameters
    ----------
    size
        Number of processes; on GPUs, process r uses GPU r.
    work
        A function at the top of a module, so that a new process can find it. What it finds it
        writes to files.
    device
        As in the configuration; only "cpu" lets several processes do without GPUs.
    arguments
        What it is called with; sent to the processes, so paths rather than arrays.

    Raises
    ------
    InputError
        There are fewer GPUs than processes, or the lowest process that was refused says so.
    RuntimeError
        A process failed otherwise; with its traceback, or the exit code where it left none.
    """
    if size == 1:
        work(Team(), device=device, **arguments)
        return
    cards = torch.cuda.device_count()
    if device != "cpu" and cards < size:
        raise InputError(
            f"gpus_per_training is {size}, but torch sees {cards} GPUs; set it to {max(cards, 1)}, "
            "or device: cpu, or ask the cluster for more"
        )
    spawn = multiprocessing.get_context("spawn")
    processes: list[BaseProcess] = []
    pipes: list[Connection] = []
    arguments = {"device": device, **arguments}
    with tempfile.TemporaryDirectory() as folder:
        meeting = f"file://{Path(folder) / 'meeting'}"
        try:
            for rank in range(size):
                pipe, end = spawn.Pipe(duplex=False)
                part = (Team(rank, size), meeting, end, logger.getEffectiveLevel(), work, arguments)
                process = spawn.Process(target=_take_part, args=part)
                process.start()
                # the process alone holds this end now, so that the pipe ends with it
                end.close()
                processes.append(process)
                pipes.append(pipe)
            words = _listen(pipes)
            if len(words) == size:
                _wait_for(processes)
        finally:
            _end(processes)
    _raise_what_stopped(words, processes)


def _listen(pipes: Sequence[Connection]) -> dict[int, _Word]:
    """Return the last word of each process, but of those that are late once another has failed."""
    words: dict[int, _Word] = {}
    until = math.inf
    while len(words) < len(pipes) and time.monotonic() < until:
        left = None if until == math.inf else until - time.monotonic()
        ready = wait([pipe for rank, pipe in enumerate(pipes) if rank not in words], left)
        for rank, pipe in enumerate(pipes):
            if pipe not in ready:
                continue
            try:
                said = _Word(*json.loads(pipe.recv_bytes()))
            except (EOFError, OSError):
                said = _Word("gone", "", time.monotonic())
            if said.kind == "log":
                logger.log(said.level, "%s", said.text)
                continue
            words[rank] = said
            if said.kind != "done":
                until = min(until, time.monotonic() + GRACE_S)
    return words


def _wait_for(processes: Sequence[BaseProcess]) -> None:
    """Go on when all have ended, or after a while."""
    until = time.monotonic() + GRACE_S
    for process in processes:
        process.join(max(0.0, until - time.monotonic()))


def _end(processes: Sequence[BaseProcess]) -> None:
    """End those that still run; those that do not heed the request are killed."""
    for end in (BaseProcess.terminate, BaseProcess.kill):
        for process in processes:
            end(process)
        _wait_for(processes)


def _raise_what_stopped(words: Mapping[int, _Word], processes: Sequence[BaseProcess]) -> None:
    """Raise what stopped the team, if anything did."""
    refused = [rank for rank, word in words.items() if word.kind == "refused"]
    if refused:
        raise InputError(words[min(refused)].text)
    failed = [rank for rank, word in words.items() if word.kind != "done"]
    if not failed:
        return
    # those that lose touch with a killed process may be heard before its end is seen
    killed = [rank for rank in failed if processes[rank].exitcode == -signal.SIGKILL]
    first = min(killed or failed, key=lambda rank: words[rank].moment)
    name = f"rank {first} of {len(processes)} processes that share a training"
    if words[first].kind == "failed":
        raise RuntimeError(f"{name} failed:\n{words[first].text}")
    hint = "; it may have been killed for memory" if killed else ""
    raise RuntimeError(f"{name} ended with exit code {processes[first].exitcode}{hint}")


def _take_part(
    team: Team,
    meeting: str,
    pipe: Connection,
    level: int,
    work: Callable[..., None],
    arguments: dict[str, Any],
) -> None:
    """Work as one of a team in a process of its own, and tell the caller how it ended."""
    threading.Thread(target=_leave_with_caller, daemon=True).start()

    def say(kind: str, text: str = "", level: int = logging.INFO) -> None:
        # not pipe.send, which would pickle it
        pipe.send_bytes(json.dumps(_Word(kind, text, time.monotonic(), level)).encode())

    # its own lock is one between processes, which would outlive a process that ends at once
    tqdm.set_lock(threading.RLock())
    logger.setLevel(level)
    logger.addHandler(_Told(say) if team.rank == 0 else logging.NullHandler())
    try:
        _join(team, meeting, arguments["device"])
        work(team, **arguments)
        say("done")
    except BaseException as error:
        refused = isinstance(error, InputError)
        say(*("refused", str(error)) if refused else ("failed", traceback.format_exc()))
        sys.stdout.flush()
        # at once, as NCCL would wait at an orderly exit for those that are still at work
        os._exit(1)
    # should this wait for ever, the caller has heard what it wants, and ends the process
    dist.destroy_process_group()


def _leave_with_caller() -> None:
    """End this process when its caller has ended, killed perhaps, so that it keeps no GPU."""
    caller = multiprocessing.parent_process()
    assert caller is not None
    caller.join()
    os._exit(1)


def _join(team: Team, meeting: str, device: str) -> None:
    """Take one's place in the group."""
    card = None if device == "cpu" else torch.device("cuda", team.rank)
    if card is not None:
        torch.cuda.set_device(card)
    dist.init_process_group(
        "gloo" if card is None else "nccl",
        init_method=meeting,
        rank=team.rank,
        world_size=team.size,
        timeout=PATIENCE,
        device_id=card,
    )
