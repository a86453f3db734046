"""Every network, small enough for a test."""

import torch

from crossres.catalogue.networks import NETWORKS
from crossres.networks import build
from crossres.networks.attention import FourierAttention, MeanAttention

SMALL = {"width": 8, "depth": 2, "groups": 2, "blocks": 2, "reduction": 2, "growth": 2}
"""Sizes for a test, by their names in the catalogue."""
ALL = [(name, dims) for name in sorted(NETWORKS) for dims in NETWORKS[name].dims]
WITH_ATTENTION = [("rcan", 2), ("rcan", 3), ("tcan", 2), ("dfcan", 2)]


def own(name, sizes):
    """Return the sizes that a network has."""
    return {key: size for key, size in sizes.items() if key in NETWORKS[name].own()}


def small(name, dims=2, **settings):
    """Build a network with weights that are the same each time, ready to restore.

    The hidden channels of attention are few, and random ones may all rest; here they do not.
    """
    torch.manual_seed(0)
    network = build(name, dims, **{**own(name, SMALL), **settings}).eval()
    for module in network.modules():
        if isinstance(module, MeanAttention | FourierAttention):
            torch.nn.init.constant_(module.squeeze.bias, 1.0)
    return network


def field_of(dims, side=32, slices=8):
    """Return a field of attention, ([z, ]y, x)."""
    return (slices, side, side)[-dims:]


CASES = [(name, dims, None) for name, dims in ALL] + [
    (name, dims, field_of(dims, 8, 4)) for name, dims in WITH_ATTENTION
]
"""Every network in all its dimensions, with and without a field of attention."""


def small_case(name, dims, pooling_px):
    return small(name, dims) if pooling_px is None else small(name, dims, pooling_px=pooling_px)
