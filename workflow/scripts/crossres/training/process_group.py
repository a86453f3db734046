"""The process group of a training: one process, or several that share each batch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class ProcessGroup:
    """A process's place in its group: ``rank`` of ``world_size``. Rank 0 validates and writes."""

    rank: int = 0
    world_size: int = 1

    def data_parallel(self, network: nn.Module) -> nn.Module:
        """Return a network whose gradients are means over all processes (torch's DDP)."""
        if self.world_size == 1:
            return network
        device = next(network.parameters()).device
        return DistributedDataParallel(
            network, device_ids=[device] if device.type == "cuda" else None
        )

    def synchronise_batch_norm(self, network: nn.Module) -> nn.Module:
        """Return the network with its batch normalisation over the batch of all processes.

        The weights stay the same objects. torch supports it on GPUs only: on a CPU, and for a
        single process, the network is returned unchanged.
        """
        if self.world_size == 1 or next(network.parameters()).device.type != "cuda":
            return network
        found: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
        return found

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean of a scalar over all processes; gradients pass."""
        if self.world_size == 1:
            return value
        total: Tensor = _AllReduceSum.apply(value)  # type: ignore[no-untyped-call]
        return total / self.world_size

    def means(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the means of several scalars over all processes, without gradients."""
        if self.world_size == 1:
            return {name: value.detach() for name, value in values.items()}
        stacked = torch.stack([value.detach().float() for value in values.values()])
        dist.all_reduce(stacked)
        return dict(zip(values, stacked / self.world_size, strict=True))

    def minimum(self, value: Tensor) -> int:
        """Return the minimum of an integer over all processes; this waits for the device."""
        if self.world_size > 1:
            dist.all_reduce(value, dist.ReduceOp.MIN)
        return int(value.item())

    def barrier(self) -> None:
        """Wait until all processes have come here."""
        if self.world_size > 1:
            dist.barrier()


class _AllReduceSum(torch.autograd.Function):
    """The sum over all processes; the gradients are summed likewise, as each process has a part.

    torch has had several functions for this and deprecated each in turn.
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
