"""Every registered network trains by the recipe that the configuration gives it."""

import numpy as np
import pytest
import torch
from training_runs import CPU, assert_same, changed

from crossres.catalogue.networks import NETWORKS
from crossres.networks import build
from crossres.training import TrainingData, train

SMALL = {"width": 4, "depth": 1, "groups": 1, "blocks": 1, "reduction": 2, "growth": 2}
"""Sizes for a test, by their names in the catalogue."""
ALL = [(name, dims) for name, network in NETWORKS.items() for dims in network.dims]


def recipe_of(name):
    """Settings with nothing given but what makes the networks small and the training short."""
    network = NETWORKS[name]
    sizes = {key: size for key, size in SMALL.items() if key in network.own()}
    adversarial = network.model_fields["adversarial"].default
    if adversarial:
        adversarial = changed(adversarial, width=2, downsample=True)
    return network(iterations=4, batch=2, validate_every=2, adversarial=adversarial, **sizes)


def make_pairs(dims):
    shape = (6, 16, 16) if dims == 2 else (6, 3, 16, 16)
    inputs, targets = np.random.default_rng(0).random((2, *shape)).astype(np.float32)
    # a range that the output of no fresh network exceeds by so much that it counts as divergence
    targets *= 10
    return TrainingData(inputs[:5], targets[:5], list(inputs[5:]), list(targets[5:]))


def run(name, dims, folder):
    settings = recipe_of(name)
    torch.manual_seed(0)
    network = build(name, dims, **settings.architecture)
    path = folder / "training_state.pt"
    return train(network, make_pairs(dims), settings, 0, CPU, path, "stamp")


@pytest.mark.parametrize(("name", "dims"), ALL)
def test_a_network_trains_and_goes_on_after_a_kill_to_the_same_bits(name, dims, stepped, tmp_path):
    expected = run(name, dims, tmp_path / "whole")
    stepped["kill_at"] = 3
    with pytest.raises(KeyboardInterrupt):
        run(name, dims, tmp_path / "killed")
    assert_same(run(name, dims, tmp_path / "killed"), expected)
    assert np.isfinite(expected[1].generator_loss.iloc[-1])
