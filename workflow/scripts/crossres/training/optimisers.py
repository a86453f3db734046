"""Networks made ready to learn: on their device, with their optimiser."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from crossres.training.batches import in_best_order

OF_THE_DEVICE = ("lr", "fused", "capturable")
"""What of an Adam's settings depends on where it runs."""


def prepare(
    network: nn.Module, learning_rate: float, betas: tuple[float, float], device: torch.device
) -> tuple[nn.Module, torch.optim.Optimizer]:
    """Return a network on its device, weights with channels last in memory, and its Adam.

    Parameters
    ----------
    network
        In any order, on any device.
    learning_rate, betas
        Of Adam.
    device
        Where it learns.
    """
    network = network.to(device).train()
    for parameter in network.parameters():
        if parameter.ndim >= 4:
            parameter.data = in_best_order(parameter.data)
    on_gpu = device.type == "cuda"
    # a graph of the step reads the rate from the device, where it changes from step to step
    rate: Any = torch.tensor(learning_rate, device=device) if on_gpu else learning_rate
    return network, torch.optim.Adam(
        network.parameters(), lr=rate, betas=betas, fused=on_gpu, capturable=on_gpu
    )


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate, on the device if it lies there."""
    for group in optimiser.param_groups:
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def load_optimiser(optimiser: torch.optim.Optimizer, state: Mapping[str, Any]) -> None:
    """Load a saved state, which may come from another kind of device.

    Whether Adam is fused depends on the device, not on the state: otherwise a training begun on a
    CPU would stay slow on a GPU. Every step sets the rate anew.
    """
    groups = [
        {**group, **{key: own[key] for key in OF_THE_DEVICE}}
        for group, own in zip(state["param_groups"], optimiser.param_groups, strict=True)
    ]
    optimiser.load_state_dict({**state, "param_groups": groups})
