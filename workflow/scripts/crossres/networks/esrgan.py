"""ESRGAN's generator without upscaling: Wang X. et al. 2018, as Chen et al. 2021 use it."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from crossres.networks.image_network import ImageNetwork
from crossres.networks.layers import convolution, in_float32, initialise_he

SLOPE = 0.2
"""Of the leaky ReLU on the negative side."""

RESIDUAL_SCALE = 0.2
"""A block's result is multiplied by this before it is added to the block's input."""


class DenseBlock(nn.Module):
    """Five convolutions, each on the outputs of all before it."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.grow = nn.ModuleList(convolution(2, width + k * growth, growth) for k in range(4))
        self.last = convolution(2, width + 4 * growth, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, width, Y, X) to the same."""
        dense = x
        for layer in self.grow:
            dense = torch.cat([dense, F.leaky_relu_(layer(dense), SLOPE)], dim=1)
        scaled: Tensor = RESIDUAL_SCALE * self.last(dense)
        return x + scaled


class ResidualDenseBlock(nn.Module):
    """RRDB: three dense blocks and a skip around them."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(DenseBlock(width, growth) for _ in range(3)))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, width, Y, X) to the same."""
        scaled: Tensor = RESIDUAL_SCALE * self.blocks(x)
        return x + scaled


class ESRGAN(ImageNetwork):
    """Residual in residual dense network, a comparator: Chen et al. 2021, Methods.

    A convolution; 16 RRDBs, each of three dense blocks of five convolutions, 3x3; a convolution
    and the long skip; a convolution with a leaky ReLU; a last convolution to one channel. No
    batch normalisation.

    Chen et al. print the 16 RRDBs only. From the paper and code of ESRGAN:

    - 64 maps, 32 more with each dense convolution, leaky ReLUs of slope 0.2;
    - dense blocks and RRDBs add a fifth of their result to their input;
    - the weights of the dense blocks start at a tenth of He's; the others at He's (the code
      leaves those at torch's default), biases 0.

    No upscaling, as input and target have one size: the layers between the long skip and the
    convolution before the last fall away. Volumes pass slice by slice, which is printed.

    Parameters
    ----------
    width
        Maps between blocks.
    growth
        Maps that each dense convolution adds.
    blocks
        RRDBs.
    """

    def __init__(self, width: int, growth: int, blocks: int) -> None:
        reach = 15 * blocks + 4
        super().__init__((1, 1), (reach, reach), 6 * width + 9 * growth + 1)
        self.first = convolution(2, 1, width)
        self.blocks = nn.Sequential(*(ResidualDenseBlock(width, growth) for _ in range(blocks)))
        self.after_blocks = convolution(2, width, width)
        self.before_last = convolution(2, width, width)
        self.last = convolution(2, width, 1)
        initialise_he(self, SLOPE)
        initialise_he(self.blocks, 0.0, scale=0.1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 1, Y, X) to the same."""
        features = self.first(x)
        features = features + self.after_blocks(self.blocks(features))
        return in_float32(self.last, F.leaky_relu_(self.before_last(features), SLOPE))
