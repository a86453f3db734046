"""A process's place among those that share a training."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel


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

    def normalise_together(self, network: nn.Module) -> nn.Module:
        """Return the network with its batch normalisation over the batch of all processes.

        The weights are the same objects. torch can do it on GPUs only: elsewhere, and in a team of
        one, the network comes back as it is.
        """
        if self.size == 1 or next(network.parameters()).device.type != "cuda":
            return network
        return nn.SyncBatchNorm.convert_sync_batchnorm(network)

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
