"""One training shared by several processes, a GPU each."""

import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, multiprocessing, nn
from torch.nn.parallel import DistributedDataParallel

from crossres.jobs import InputError

PATIENCE = timedelta(minutes=30)
"""How long the others wait for the first process while it validates."""


@dataclass(frozen=True)
class Team:
    """Where a process stands among those that share a training: ``rank`` of ``size``."""

    rank: int = 0
    size: int = 1

    def wrap(self, network: nn.Module) -> nn.Module:
        """Return a network whose gradients become the mean over all processes (torch's DDP)."""
        if self.size == 1:
            return network
        device = next(network.parameters()).device
        return DistributedDataParallel(
            network, device_ids=[device] if device.type == "cuda" else None
        )

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean of a scalar over all processes; gradients pass."""
        return value if self.size == 1 else _Sum.apply(value) / self.size

    def mean_of(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the means of several scalars over all processes, without gradients."""
        if self.size == 1:
            return {name: value.detach() for name, value in values.items()}
        together = torch.stack([value.detach().float() for value in values.values()])
        dist.all_reduce(together)
        return dict(zip(values, together / self.size, strict=True))

    def least(self, value: Tensor) -> int:
        """Return the least of a whole number over all processes; this waits for the device."""
        if self.size > 1:
            dist.all_reduce(value, dist.ReduceOp.MIN)
        return int(value.item())

    def wait(self) -> None:
        """Go on when all have come here."""
        if self.size > 1:
            dist.barrier()


class _Sum(torch.autograd.Function):
    """The sum over all processes; each gets the gradients of all, as each has a part in it.

    torch has had several functions for this, and calls one after the other deprecated.
    """

    @staticmethod
    def forward(_context: Any, value: Tensor) -> Tensor:
        total = value.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_context: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        dist.all_reduce(total)
        return total


def run_team(size: int, work: Callable[..., Any], **arguments: Any) -> Any:
    """Run ``work(team, **arguments)`` in several processes and return what the first returns.

    The first is this process: it alone logs, saves and returns. With a size of 1 no other is
    started.

    Parameters
    ----------
    size
        Number of processes; on GPUs, process r uses GPU r.
    work
        A function at the top of a module, so that a new process can find it.
    arguments
        What it is called with; sent to the other processes, so paths rather than arrays.
    """
    if size == 1:
        return work(Team(), **arguments)
    cards = torch.cuda.device_count()
    if arguments.get("device") != "cpu" and 0 < cards < size:
        raise InputError(
            f"gpus_per_training is {size}, but torch sees {cards} GPUs; lower it, or ask the "
            "cluster for more"
        )
    with tempfile.TemporaryDirectory() as folder:
        meeting = f"file://{Path(folder) / 'meeting'}"
        context = multiprocessing.get_context("spawn")
        others = [
            context.Process(target=_accompany, args=(Team(rank, size), meeting, work, arguments))
            for rank in range(1, size)
        ]
        for process in others:
            process.start()
        try:
            return _join(Team(0, size), meeting, work, arguments)
        finally:
            for process in others:
                process.join(timeout=30)
                process.terminate()


def _accompany(*place: Any) -> None:
    """Work beside the first process, which says for all what a user has to hear."""
    try:
        _join(*place)
    except InputError:
        sys.exit(1)


def _join(team: Team, meeting: str, work: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Take one's place in the group, work, and leave it."""
    backend = "nccl" if torch.cuda.is_available() and arguments.get("device") != "cpu" else "gloo"
    dist.init_process_group(
        backend, init_method=meeting, rank=team.rank, world_size=team.size, timeout=PATIENCE
    )
    try:
        return work(team, **arguments)
    finally:
        dist.destroy_process_group()
