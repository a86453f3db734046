"""Nothing in a step makes a GPU wait: no number is fetched from it and none is sent to it.

Seen without a GPU: on torch's meta device a step computes no values but calls the same operations.
"""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from training_runs import PLAIN, against, changed

from crossres.networks import build

KINDS = {
    "plain": changed(PLAIN, loss={"mse": 1, "mae": 0.5, "ssim": 0.1}),
    "by shares": against(warm_up_iterations=0),
    "relativistic": against(changed(PLAIN, loss={"mse": 1, "ssim": 1}), kind="relativistic",
                            warm_up_iterations=0, shares={}),
    "relativistic average": against(changed(PLAIN, loss={"mae": 1}), kind="relativistic_average",
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


@pytest.mark.parametrize("name", KINDS)
def test_a_step_makes_no_gpu_wait(step_without_values, name):
    step = step_without_values(build("gan", width=2, depth=1), KINDS[name], (2, 1, 16, 16))
    step()
    with Watched() as watched:
        step()
    assert watched.waits == []
    assert watched.seen > 100


def test_a_number_that_is_read_at_once_would_be_noticed():
    with Watched() as watched, pytest.raises(RuntimeError):
        torch.zeros((), device="meta").item()
    with Watched() as copied:
        torch.as_tensor(2.0).to("meta")
    assert watched.waits
    assert copied.waits
