"""Networks that torch compiles before they are trained, and those that it cannot."""

import shutil

import numpy as np
import pytest
import torch
from torch import nn
from training_runs import BALANCED, PLAIN, assert_same, changed, run, small_network

# torch's own compiler imports what torch itself calls deprecated
COMPILED = pytest.mark.filterwarnings("ignore::DeprecationWarning")
WITH_COMPILER = pytest.mark.skipif(shutil.which("g++") is None, reason="torch compiles with g++")


class Smallest(nn.Module):
    """A network of one convolution, which takes torch seconds and not a minute."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.last = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x):
        return self.last(x)


@pytest.mark.slow
@COMPILED
@WITH_COMPILER
def test_a_compiled_network_trains_to_the_same_weights(data, tmp_path):
    plain, _ = run(data, PLAIN, tmp_path / "plain", network=Smallest())
    settings = changed(PLAIN, compile=True)
    compiled, _ = run(data, settings, tmp_path / "compiled", network=Smallest())
    assert compiled.keys() == plain.keys()
    for name, tensor in plain.items():
        np.testing.assert_allclose(compiled[name], tensor, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@COMPILED
@WITH_COMPILER
def test_a_compiled_generator_meets_its_discriminator(data, tmp_path, caplog):
    # its gradients are looked at before they are applied, which torch's compiler must allow
    settings = changed(BALANCED, compile=True, iterations=3)
    _, history = run(data, settings, tmp_path, network=Smallest())
    assert history.adversarial_part_of_gradient.iloc[-1] > 0
    assert "cannot compile" not in caplog.text


def test_the_network_is_compiled_only_where_asked(data, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(torch, "compile", lambda network: asked.append(network) or network)
    run(data, PLAIN, tmp_path / "a")
    assert asked == []
    network = small_network()
    run(data, changed(PLAIN, compile=True), tmp_path / "b", network=network)
    assert asked == [network]


@pytest.mark.parametrize("when", ["forward", "backward"])
def test_what_torch_cannot_compile_is_trained_as_it_is(data, monkeypatch, tmp_path, caplog, when):
    def fail(*_):
        raise RuntimeError("no C++ compiler was found\nSet CXX to one")

    def broken(network):
        def forward(x):
            y = network(x)
            if when == "forward":
                fail()
            y.register_hook(fail)
            return y

        return forward

    expected = run(data, PLAIN, tmp_path / "plain")
    monkeypatch.setattr(torch, "compile", broken)
    found = run(data, changed(PLAIN, compile=True), tmp_path / "broken")
    assert "torch cannot compile the network" in caplog.text
    assert "no C++ compiler was found" in caplog.text
    assert "Set CXX" not in caplog.text
    assert_same(found, expected)


def test_the_trial_leaves_no_trace_in_running_means(data, monkeypatch, tmp_path):
    class Normalised(Smallest):
        def __init__(self):
            super().__init__()
            self.norm = nn.BatchNorm2d(1)

        def forward(self, x):
            return self.norm(self.last(x))

    monkeypatch.setattr(torch, "compile", lambda network: network)
    plain = run(data, PLAIN, tmp_path / "plain", network=Normalised())
    tried = run(data, changed(PLAIN, compile=True), tmp_path / "tried", network=Normalised())
    assert_same(tried, plain)
