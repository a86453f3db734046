"""Networks made ready to learn: on their device, with their optimiser."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from crossres.training.batches import in_best_order


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
    return network, torch.optim.Adam(
        network.parameters(), lr=learning_rate, betas=betas, fused=device.type == "cuda"
    )


def load_optimiser(optimiser: torch.optim.Optimizer, state: Mapping[str, Any]) -> None:
    """Load a saved state, which may come from another kind of device.

    Whether Adam is fused depends on the device, not on the state: otherwise a training begun on a
    CPU would stay slow on a GPU.
    """
    fused = [group["fused"] for group in optimiser.param_groups]
    groups = [
        {**group, "fused": own} for group, own in zip(state["param_groups"], fused, strict=True)
    ]
    optimiser.load_state_dict({**state, "param_groups": groups})
