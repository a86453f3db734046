"""Volumes through a network of images, slice by slice."""

import torch
from torch import Tensor

from crossres.networks.image_network import ImageNetwork


class SliceBySlice(ImageNetwork):
    """Applies a network of images to each slice of a volume separately.

    Parameters
    ----------
    network
        Maps (N, 1, Y, X) to the same.
    """

    def __init__(self, network: ImageNetwork) -> None:
        field = None if network.pooling_px is None else (1, *network.pooling_px)
        super().__init__(
            (1, *network.stride_px), (0, *network.reach_px), network.live_channels, field
        )
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 1, Z, Y, X) to the same."""
        slices = x.transpose(1, 2).flatten(0, 1)
        restored = torch.unflatten(self.network(slices), 0, (x.shape[0], x.shape[2]))
        return restored.transpose(1, 2)
