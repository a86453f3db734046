"""RCAN in 2D and 3D: Chen et al. 2021."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from crossres.networks.attention import MeanAttention
from crossres.networks.image_network import ImageNetwork
from crossres.networks.layers import convolution, in_float32, initialise_glorot


class AttentionBlock(nn.Module):
    """RCAB: x + attention of Conv(ReLU(Conv(x))); the skip is the block's own."""

    def __init__(
        self, dims: int, width: int, reduction: int, pooling_px: Sequence[int] | None
    ) -> None:
        super().__init__()
        self.first = convolution(dims, width, width)
        self.second = convolution(dims, width, width)
        self.attention = MeanAttention(dims, width, reduction, pooling_px)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, width, [Z, ]Y, X) to the same."""
        y: Tensor = self.attention(self.second(F.relu_(self.first(x))))
        return x + y


class ResidualGroup(nn.Module):
    """x + Conv(blocks(x))."""

    def __init__(
        self, dims: int, width: int, blocks: int, reduction: int, pooling_px: Sequence[int] | None
    ) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            *(AttentionBlock(dims, width, reduction, pooling_px) for _ in range(blocks))
        )
        self.last = convolution(dims, width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, width, [Z, ]Y, X) to the same."""
        y: Tensor = self.last(self.blocks(x))
        return x + y


class RCAN(ImageNetwork):
    """Residual channel attention network: Chen et al. 2021, Methods, "3D RCAN", and Fig. 1a.

    A convolution; G residual groups of RCABs, each RCAB with a skip of its own, each group with
    a convolution at its end and a skip; a convolution after all groups and the long skip; a last
    convolution to one channel.

    The paper prints G = 5, 3 RCABs a group, 32 channels, a reduction of 8 to 4 filters, 3D
    convolutions, and no upscaling. The 3D default has 1,002,621 parameters.

    Where the text is silent, and what is done here:

    - which convolutions close a group and the stack of groups: one each, as in the RCAN of Zhang
      et al. 2018 (eq. 3-5) and in the paper's software;
    - the input is mapped to 2x - 1, the output to x / 2 + 1 / 2, as in that software;
    - kernels 3x3(x3), zero padding, biases everywhere;
    - initialisation: Glorot's, biases 0, the default of Keras, in which they worked.

    Parameters
    ----------
    dims
        2 or 3.
    width
        Channels throughout.
    groups
        Residual groups.
    blocks
        RCABs in a group.
    reduction
        The attention narrows to 1 / reduction of the channels.
    pooling_px
        As for :class:`crossres.networks.image_network.ImageNetwork`.
    """

    def __init__(
        self,
        dims: int,
        width: int,
        groups: int,
        blocks: int,
        reduction: int,
        pooling_px: Sequence[int] | None = None,
    ) -> None:
        reach = groups * (2 * blocks + 1) + 3
        super().__init__((1,) * dims, (reach,) * dims, 8 * width, pooling_px)
        self.first = convolution(dims, 1, width)
        self.groups = nn.Sequential(
            *(ResidualGroup(dims, width, blocks, reduction, self.pooling_px) for _ in range(groups))
        )
        self.after_groups = convolution(dims, width, width)
        self.last = convolution(dims, width, 1)
        initialise_glorot(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 1, [Z, ]Y, X) to the same."""
        features = self.first(x * 2 - 1)
        features = features + self.after_groups(self.groups(features))
        return in_float32(self.last, features) * 0.5 + 0.5
