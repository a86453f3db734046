"""An optimiser that goes on from a saved state."""

import pytest
import torch
from torch import nn

from crossres.training.optimisers import load_optimiser, prepare

ADAM = (1e-3, (0.9, 0.999))


def stepped(fused):
    network, optimiser = prepare(nn.Conv2d(1, 2, 3), *ADAM, torch.device("cpu"))
    optimiser.param_groups[0]["fused"] = fused
    network(torch.ones(1, 1, 5, 5)).sum().backward()
    optimiser.step()
    return optimiser


@pytest.mark.parametrize("saved_as", [True, False])
@pytest.mark.parametrize("own", [True, False])
def test_how_it_computes_is_its_devices_and_not_the_states(saved_as, own):
    saved, optimiser = stepped(saved_as), stepped(own)
    load_optimiser(optimiser, saved.state_dict())
    assert optimiser.param_groups[0]["fused"] is own
    for key in ("exp_avg", "exp_avg_sq", "step"):
        for one, other in zip(saved.state.values(), optimiser.state.values(), strict=True):
            assert torch.equal(one[key], other[key])
    optimiser.step()


def test_a_network_is_on_its_device_and_learning():
    network, optimiser = prepare(nn.Conv2d(4, 4, 3).eval(), *ADAM, torch.device("cpu"))
    assert network.training
    assert network.weight.is_contiguous(memory_format=torch.channels_last)
    assert optimiser.param_groups[0]["lr"] == 1e-3
    assert optimiser.param_groups[0]["betas"] == (0.9, 0.999)
