"""Every network, small enough for a test."""

import torch

from crossres.networks import NETWORKS, build
from crossres.networks.attention import FourierAttention, MeanAttention

SMALL = {
    "gan": {"width": 4, "depth": 2},
    "cnn": {"width": 4, "depth": 2},
    "rcan": {"width": 8, "groups": 2, "blocks": 1, "reduction": 2},
    "tcan": {"width": 4, "groups": 1, "blocks": 1, "depth": 2},
    "dfcan": {"width": 8, "groups": 1, "blocks": 2},
    "care": {"width": 4},
    "srresnet": {"width": 4, "blocks": 2},
    "esrgan": {"width": 4, "growth": 2, "blocks": 1},
}
ALL = [(name, dims) for name in sorted(NETWORKS) for dims in NETWORKS[name].dims]
WITH_ATTENTION = [("rcan", 2), ("rcan", 3), ("tcan", 2), ("dfcan", 2)]


def small(name, dims=2, **settings):
    """Build a network with weights that are the same each time, ready to restore.

    The hidden channels of attention are few, and random ones may all rest; here they do not.
    """
    torch.manual_seed(0)
    network = build(name, dims, **{**SMALL[name], **settings}).eval()
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


def small_case(name, dims, field_px):
    return small(name, dims) if field_px is None else small(name, dims, field_px=field_px)
