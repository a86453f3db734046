"""DFCAN: Fourier channel attention, by itself and as part of ``tcan``."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from crossres.networks.attention import FourierAttention
from crossres.networks.image_network import ImageNetwork
from crossres.networks.layers import convolution, in_float32, initialise_glorot


class FourierBlock(nn.Module):
    """FCAB: y + attention of y_o = GELU(Conv(GELU(Conv(y)))); Huang et al. 2023, eq. 8-9."""

    def __init__(
        self, width: int, gamma: float, sigmoid: bool, pooling_px: Sequence[int] | None
    ) -> None:
        super().__init__()
        self.first = convolution(2, width, width)
        self.second = convolution(2, width, width)
        self.attention = FourierAttention(width, gamma, sigmoid, pooling_px=pooling_px)

    def forward(self, y: Tensor) -> Tensor:
        """Map (N, width, Y, X) to the same."""
        weighed: Tensor = self.attention(F.gelu(self.second(F.gelu(self.first(y)))))
        return y + weighed


class FourierGroup(nn.Module):
    """RG(y) = y + FCAB(...FCAB(y)); Huang et al. 2023, eq. 7."""

    def __init__(
        self,
        width: int,
        blocks: int,
        gamma: float,
        sigmoid: bool,
        pooling_px: Sequence[int] | None,
    ) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            *(FourierBlock(width, gamma, sigmoid, pooling_px) for _ in range(blocks))
        )

    def forward(self, y: Tensor) -> Tensor:
        """Map (N, width, Y, X) to the same."""
        passed: Tensor = self.blocks(y)
        return y + passed


class FourierBody(nn.Sequential):
    """Conv and GELU, residual groups, Conv and GELU; Huang et al. 2023, Fig. 2b.

    Parameters
    ----------
    channels_in, channels_out
        Of its input and output.
    width
        Channels throughout.
    groups, blocks
        Residual groups, and FCABs in a group.
    gamma, sigmoid, pooling_px
        As for :class:`crossres.networks.attention.FourierAttention`.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        width: int,
        groups: int,
        blocks: int,
        gamma: float,
        sigmoid: bool,
        pooling_px: Sequence[int] | None,
    ) -> None:
        super().__init__(
            convolution(2, channels_in, width),
            nn.GELU(),
            *(FourierGroup(width, blocks, gamma, sigmoid, pooling_px) for _ in range(groups)),
            convolution(2, width, channels_out),
            nn.GELU(),
        )
        self.reach_px = 2 * groups * blocks + 2
        self.live_channels = 8 * width + channels_in + channels_out


class DFCAN(ImageNetwork):
    """Deep Fourier channel attention network: Qiao et al. 2021, without upscaling.

    Conv and GELU, 4 residual groups of 4 FCABs, Conv and GELU, a last convolution.

    Where the texts are silent or differ, and what is done here:

    - Qiao et al. double the size by a sub-pixel layer before the last convolution; input and
      target have one size here, and it is left out;
    - their code ends in a sigmoid; targets here pass 1, and the output is linear;
    - gamma, the sigmoid of the attention and the grid of the spectrum:
      see :class:`crossres.networks.attention.FourierAttention`;
    - initialisation: Glorot's, biases 0, the default of Keras, in which they worked.

    Parameters
    ----------
    width
        Channels throughout.
    groups
        Residual groups.
    blocks
        FCABs in a group.
    gamma
        Exponent of the spectrum.
    sigmoid
        Whether the attention ends in a sigmoid.
    pooling_px
        As for :class:`crossres.networks.image_network.ImageNetwork`.
    """

    def __init__(
        self,
        width: int,
        groups: int,
        blocks: int,
        gamma: float,
        sigmoid: bool,
        pooling_px: Sequence[int] | None = None,
    ) -> None:
        body = FourierBody(1, width, width, groups, blocks, gamma, sigmoid, pooling_px)
        super().__init__((1, 1), (body.reach_px + 1,) * 2, body.live_channels + 1, pooling_px)
        self.body = body
        self.last = convolution(2, width, 1)
        initialise_glorot(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 1, Y, X) to the same."""
        return in_float32(self.last, self.body(x))
