"""Networks made ready to learn: on their device, with their optimiser."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from crossres.training.batches import in_best_order


def prepare(
    network: nn.Module, settings: Mapping[str, Any], device: torch.device
) -> tuple[nn.Module, torch.optim.Optimizer]:
    """Return a network on its device, weights in the order convolutions like best, and its Adam.

    Parameters
    ----------
    network
        In any order, on any device.
    settings
        ``learning_rate`` and ``betas``.
    device
        Where it learns.
    """
    network = network.to(device).train()
    for parameter in network.parameters():
        if parameter.ndim >= 4:
            parameter.data = in_best_order(parameter.data)
    rates = {"lr": settings["learning_rate"], "betas": tuple(settings["betas"])}
    return network, torch.optim.Adam(network.parameters(), fused=device.type == "cuda", **rates)


def take_up(optimiser: torch.optim.Optimizer, state: Mapping[str, Any]) -> None:
    """Give an optimiser a saved state, which may come from another kind of device.

    How the update is computed belongs to the device and not to the state: else a training begun
    on a CPU would stay slow on a GPU.
    """
    fused = [group["fused"] for group in optimiser.param_groups]
    groups = [
        {**group, "fused": own} for group, own in zip(state["param_groups"], fused, strict=True)
    ]
    optimiser.load_state_dict({**state, "param_groups": groups})
