"""Launches the processes of a training, a GPU each, and watches over them."""

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
from crossres.training.process_group import ProcessGroup

TIMEOUT = timedelta(minutes=30)
"""How long the other processes wait for rank 0 while it validates."""

GRACE_S = 10.0
"""Seconds that the other processes have to end by themselves once one has failed."""


class _Message(NamedTuple):
    """What a process reports: "log", and last "done", "refused" or "failed"; "gone" is its end.

    Text and numbers only, sent as JSON; ``level`` is that of a line of the log.
    """

    kind: str
    text: str
    moment: float
    level: int = logging.INFO


class _Forwarding(logging.Handler):
    """Forwards what is logged."""

    def __init__(self, send: Callable[[str, str, int], None]) -> None:
        super().__init__()
        self.send = send

    def emit(self, record: logging.LogRecord) -> None:
        self.send("log", record.getMessage(), record.levelno)


def launch(world_size: int, work: Callable[..., None], device: str, **arguments: Any) -> None:
    """Run ``work(group, device=device, **arguments)`` in each process of a group.

    This process only watches over them, and passes on what rank 0 logs. When one fails, the others
    are ended too. A group of one is this process, and none is started.

    Parameters
    ----------
    world_size
        Number of processes; on GPUs, rank r uses GPU r.
    work
        A function at the top of a module, so that a new process can import it. It writes its
        results to files.
    device
        As in the configuration; only "cpu" allows several processes without GPUs.
    arguments
        Arguments of ``work``; sent to the processes, so paths rather than arrays.

    Raises
    ------
    InputError
        There are fewer GPUs than processes; or a process raised one, of which the lowest rank's
        is raised here.
    RuntimeError
        A process failed otherwise; with its traceback, or its exit code if it left none.
    """
    if world_size == 1:
        work(ProcessGroup(), device=device, **arguments)
        return
    cards = torch.cuda.device_count()
    if device != "cpu" and cards < world_size:
        raise InputError(
            f"gpus_per_training is {world_size}, but torch sees {cards} GPUs; set it to "
            f"{max(cards, 1)}, or device: cpu, or ask the cluster for more"
        )
    spawn = multiprocessing.get_context("spawn")
    processes: list[BaseProcess] = []
    pipes: list[Connection[Any, Any]] = []
    arguments = {"device": device, **arguments}
    with tempfile.TemporaryDirectory() as folder:
        rendezvous = f"file://{Path(folder) / 'rendezvous'}"
        try:
            for rank in range(world_size):
                pipe, end = spawn.Pipe(duplex=False)
                group = ProcessGroup(rank, world_size)
                part = (group, rendezvous, end, logger.getEffectiveLevel(), work, arguments)
                process = spawn.Process(target=_run_rank, args=part)
                process.start()
                # only the process holds this end now, so that the pipe closes with it
                end.close()
                processes.append(process)
                pipes.append(pipe)
            last = _last_messages(pipes)
            if len(last) == world_size:
                _join(processes)
        finally:
            _end(processes)
    _raise_failure(last, processes)


def _last_messages(pipes: Sequence["Connection[Any, Any]"]) -> dict[int, _Message]:
    """Return each rank's last message, without those that are late once another has failed."""
    last: dict[int, _Message] = {}
    until = math.inf
    while len(last) < len(pipes) and time.monotonic() < until:
        left = None if until == math.inf else until - time.monotonic()
        ready = wait([pipe for rank, pipe in enumerate(pipes) if rank not in last], left)
        for rank, pipe in enumerate(pipes):
            if pipe not in ready:
                continue
            try:
                message = _Message(*json.loads(pipe.recv_bytes()))
            except (EOFError, OSError):
                message = _Message("gone", "", time.monotonic())
            if message.kind == "log":
                logger.log(message.level, "%s", message.text)
                continue
            last[rank] = message
            if message.kind != "done":
                until = min(until, time.monotonic() + GRACE_S)
    return last


def _join(processes: Sequence[BaseProcess]) -> None:
    """Wait until all have ended, or for a while."""
    until = time.monotonic() + GRACE_S
    for process in processes:
        process.join(max(0.0, until - time.monotonic()))


def _end(processes: Sequence[BaseProcess]) -> None:
    """Terminate those that still run; kill those that ignore it."""
    for end in (BaseProcess.terminate, BaseProcess.kill):
        for process in processes:
            end(process)
        _join(processes)


def _raise_failure(last: Mapping[int, _Message], processes: Sequence[BaseProcess]) -> None:
    """Raise what stopped the group, if anything did."""
    refused = [rank for rank, message in last.items() if message.kind == "refused"]
    if refused:
        raise InputError(last[min(refused)].text)
    failed = [rank for rank, message in last.items() if message.kind != "done"]
    if not failed:
        return
    # ranks that lose touch with a killed process may be heard before its end is seen
    killed = [rank for rank in failed if processes[rank].exitcode == -signal.SIGKILL]
    first = min(killed or failed, key=lambda rank: last[rank].moment)
    name = f"rank {first} of {len(processes)} processes that share a training"
    if last[first].kind == "failed":
        raise RuntimeError(f"{name} failed:\n{last[first].text}")
    hint = "; it may have been killed for memory" if killed else ""
    raise RuntimeError(f"{name} ended with exit code {processes[first].exitcode}{hint}")


def _run_rank(
    group: ProcessGroup,
    rendezvous: str,
    pipe: "Connection[Any, Any]",
    level: int,
    work: Callable[..., None],
    arguments: dict[str, Any],
) -> None:
    """Work as one rank in a process of its own, and report to the launcher how it ended."""
    threading.Thread(target=_exit_with_launcher, daemon=True).start()

    def send(kind: str, text: str = "", level: int = logging.INFO) -> None:
        # not pipe.send, which would pickle
        pipe.send_bytes(json.dumps(_Message(kind, text, time.monotonic(), level)).encode())

    # tqdm's own lock is shared between processes and would outlive one that exits at once
    tqdm.set_lock(threading.RLock())
    logger.setLevel(level)
    logger.addHandler(_Forwarding(send) if group.rank == 0 else logging.NullHandler())
    try:
        _init_process_group(group, rendezvous, arguments["device"])
        work(group, **arguments)
        send("done")
    except BaseException as error:
        refused = isinstance(error, InputError)
        send(*("refused", str(error)) if refused else ("failed", traceback.format_exc()))
        sys.stdout.flush()
        # at once: in an orderly exit NCCL would wait for ranks that are still at work
        os._exit(1)
    # should this wait for ever, the launcher has the message and ends the process
    dist.destroy_process_group()


def _exit_with_launcher() -> None:
    """Exit when the launcher has ended, killed perhaps, so that no GPU stays occupied."""
    launcher = multiprocessing.parent_process()
    assert launcher is not None
    launcher.join()
    os._exit(1)


def _init_process_group(group: ProcessGroup, rendezvous: str, device: str) -> None:
    """Join the group: NCCL on GPUs, gloo on CPUs."""
    card = None if device == "cpu" else torch.device("cuda", group.rank)
    if card is not None:
        torch.cuda.set_device(card)
    dist.init_process_group(
        "gloo" if card is None else "nccl",
        init_method=rendezvous,
        rank=group.rank,
        world_size=group.world_size,
        timeout=TIMEOUT,
        device_id=card,
    )
