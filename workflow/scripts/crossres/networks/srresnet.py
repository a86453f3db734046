"""SRResNet without upscaling: Ledig et al. 2017, as Chen et al. 2021 use it."""

from torch import Tensor, nn

from crossres.networks.image_network import ImageNetwork
from crossres.networks.layers import convolution, in_float32, initialise_he


class ResidualBlock(nn.Module):
    """x + BN(Conv(PReLU(BN(Conv(x)))))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            convolution(2, width, width),
            nn.BatchNorm2d(width),
            nn.PReLU(),
            convolution(2, width, width),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, width, Y, X) to the same."""
        y: Tensor = self.body(x)
        return x + y


class SRResNet(ImageNetwork):
    """Residual network with batch normalisation, a comparator: Chen et al. 2021, Methods.

    A convolution; 16 residual blocks of two convolutions, 3x3, 64 maps, batch normalisation
    after each and a parametric ReLU between; a convolution with batch normalisation and the long
    skip; a convolution with a parametric ReLU; a last convolution to one channel. In evaluation
    the batch statistics are those of training, as Chen et al. print.

    Where the text is silent, and what is done here:

    - no upscaling, as input and target have one size: the layers between the long skip and the
      convolution before the last fall away;
    - the first and the last convolution are 3x3 as in the package that Chen et al. name
      (BasicSR), where Ledig et al. have 9x9, and no activation follows the first;
    - a parametric ReLU has one slope for all maps, 0.25 at the start;
    - initialisation: He's for that slope, biases 0;
    - volumes pass slice by slice, which is printed.

    Parameters
    ----------
    width
        Maps throughout.
    blocks
        Residual blocks.
    """

    def __init__(self, width: int, blocks: int) -> None:
        reach = 2 * blocks + 4
        super().__init__((1, 1), (reach, reach), 5 * width + 1)
        self.first = convolution(2, 1, width)
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))
        self.after_blocks = nn.Sequential(convolution(2, width, width), nn.BatchNorm2d(width))
        self.before_last = nn.Sequential(convolution(2, width, width), nn.PReLU())
        self.last = convolution(2, width, 1)
        initialise_he(self, 0.25)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 1, Y, X) to the same."""
        features = self.first(x)
        features = features + self.after_blocks(self.blocks(features))
        return in_float32(self.last, self.before_last(features))
