"""Every registered network trains by the recipe that the configuration gives it."""

import numpy as np
import pytest
import torch
from training_runs import CPU, PLAIN, assert_same

from crossres.experiments.configuration import load_schema, with_defaults
from crossres.networks import NETWORKS, architecture, build
from crossres.training import TrainingData, train

SMALL = {
    "gan": {"width": 2, "depth": 1},
    "cnn": {"width": 2, "depth": 1},
    "rcan": {"width": 4, "groups": 1, "blocks": 1, "reduction": 2},
    "tcan": {"width": 2, "depth": 1, "groups": 1, "blocks": 1},
    "dfcan": {"width": 4, "groups": 1, "blocks": 1},
    "care": {"width": 2, "depth": 1},
    "srresnet": {"width": 4, "blocks": 1},
    "esrgan": {"width": 4, "growth": 2, "blocks": 1},
}
ALL = [(name, dims) for name in SMALL for dims in NETWORKS[name].dims]


def recipe_of(name):
    """Settings with nothing given but what makes the network small and the training short."""
    given = {**SMALL[name], "iterations": 4, "batch": 2, "validate_every": 2}
    settings = with_defaults({"networks": {name: given}}, load_schema("experiment"))
    found = settings["networks"][name]
    if found["adversarial"]:
        found["adversarial"] |= {"width": 2, "downsample": True}
    return {**found, **{key: PLAIN[key] for key in ("foreground_level", "foreground_fraction")}}


def make_pairs(dims):
    shape = (6, 16, 16) if dims == 2 else (6, 3, 16, 16)
    inputs, targets = np.random.default_rng(0).random((2, *shape)).astype(np.float32)
    return TrainingData(inputs[:5], targets[:5], list(inputs[5:]), list(targets[5:]))


def run(name, dims, folder):
    settings = recipe_of(name)
    torch.manual_seed(0)
    network = build(name, dims, **architecture(name, settings))
    path = folder / "training_state.pt"
    return train(network, make_pairs(dims), settings, 0, CPU, path, "stamp")


def test_all_networks_are_looked_at():
    assert SMALL.keys() == NETWORKS.keys()


@pytest.mark.parametrize(("name", "dims"), ALL)
def test_a_network_trains_and_goes_on_after_a_kill_to_the_same_bits(name, dims, stepped, tmp_path):
    expected = run(name, dims, tmp_path / "whole")
    stepped["kill_at"] = 3
    with pytest.raises(KeyboardInterrupt):
        run(name, dims, tmp_path / "killed")
    assert_same(run(name, dims, tmp_path / "killed"), expected)
    assert np.isfinite(expected[1].generator_loss.iloc[-1])
