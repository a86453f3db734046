"""Nothing in a step makes a GPU wait: no number is fetched from it and none is sent to it.

Seen without a GPU: on torch's meta device a step computes no values but calls the same operations.
"""

from contextlib import nullcontext

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from training_runs import PLAIN, against, make_data

from crossres.networks import build
from crossres.training import Team, loop

META = torch.device("meta")
KINDS = {
    "plain": {**PLAIN, "loss": {"mse": 1, "mae": 0.5, "ssim": 0.1}},
    "by shares": against(warm_up_iterations=0),
    "relativistic": against({**PLAIN, "loss": {"mse": 1, "ssim": 1}}, kind="relativistic",
                            warm_up_iterations=0, shares={}),
    "relativistic average": against({**PLAIN, "loss": {"mae": 1}}, kind="relativistic_average",
                                    warm_up_iterations=0, shares={}),
}  # fmt: skip


class Watched(TorchDispatchMode):
    """Notes operations that fetch a number or copy between the CPU and the device."""

    def __init__(self):
        super().__init__()
        self.waits, self.seen = [], 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        given = {t.device.type for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)}
        if "_local_scalar_dense" in str(operation) or "nonzero" in str(operation):
            self.waits.append(str(operation))
        found = operation(*args, **(kwargs or {}))
        both = given | {t.device.type for t in tree_leaves(found) if isinstance(t, torch.Tensor)}
        self.seen += 1
        if {"cpu", "meta"} <= both:
            self.waits.append(str(operation))
        return found


@pytest.fixture
def step(monkeypatch):
    """A step of a training on the meta device."""

    def emptied(network, settings, device):
        network = network.to_empty(device=device)
        return network, torch.optim.SGD(network.parameters(), lr=0.0)

    monkeypatch.setattr(loop, "prepare", emptied)
    # it holds numbers for the CPU to read, and has none to give here
    monkeypatch.setattr(loop, "Validation", lambda *_: None)
    monkeypatch.setattr(loop, "precision_of", lambda *_: torch.float32)
    # which knows no meta device
    monkeypatch.setattr(loop.torch, "autocast", lambda *_: nullcontext())
    patches = torch.empty(2, 1, 16, 16, device=META)

    def run(settings):
        started = loop._Run(
            build("gan", width=2, depth=1), make_data(), settings, 0, META, Team(), False
        )
        return lambda: started.step(patches, patches)

    return run


@pytest.mark.parametrize("name", KINDS)
def test_a_step_makes_no_gpu_wait(step, name):
    take = step(KINDS[name])
    take()
    with Watched() as watched:
        take()
    assert watched.waits == []
    assert watched.seen > 100


def test_a_number_that_is_read_at_once_would_be_noticed():
    with Watched() as watched, pytest.raises(RuntimeError):
        torch.zeros((), device=META).item()
    with Watched() as copied:
        torch.as_tensor(2.0).to(META)
    assert watched.waits
    assert copied.waits
