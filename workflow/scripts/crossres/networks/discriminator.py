"""The discriminator of Wang et al. 2019."""

from torch import Tensor, nn

from crossres.networks.unet import SLOPE, initialise_convolutions

BLOCKS = 5


class PatchDiscriminator(nn.Module):
    """Is this patch a target or a restoration? Wang et al. 2019, Methods, eq. 6-7.

    A convolution, five blocks of two (Conv, LReLU), the mean over the whole patch, two fully
    connected layers. The sigmoid of eq. 7 is left to the loss, which works on logits: -log D
    overflows in float32 once D rounds to 0.

    Where the text is silent, and what is done here:

    - widths 32, 64, 128, 256, 512: those of the closest public network;
    - stride 1 throughout (``downsample=False``). The paper pools with a filter of the patch's
      own size, H x W, which holds only at stride 1; and its times agree: at stride 1 an
      iteration on 12 patches of 64 x 64 costs some 4 TFLOP, 0.65 s on their card of 8 TFLOP/s,
      as printed (500,000 iterations in 90 h), where strides would make it ten times cheaper;
    - ``downsample=True`` halves the size after every block, for machines without a GPU;
    - the fully connected layers go from 512 to 32 to 1 (as many as the first convolution has);
    - a leaky ReLU follows the first convolution and the first fully connected layer.

    Parameters
    ----------
    width
        Channels of the first convolution and the first block; each further block doubles them.
    downsample
        Average pooling by 2 after every block but the last.
    """

    def __init__(self, width: int = 32, downsample: bool = False) -> None:
        super().__init__()
        widths = [width * 2**block for block in range(BLOCKS)]
        layers: list[nn.Module] = [nn.Conv2d(1, width, 3, padding=1), nn.LeakyReLU(SLOPE)]
        for block, (a, b) in enumerate(zip([width, *widths[:-1]], widths, strict=True)):
            layers += [nn.Conv2d(a, b, 3, padding=1), nn.LeakyReLU(SLOPE)]
            layers += [nn.Conv2d(b, b, 3, padding=1), nn.LeakyReLU(SLOPE)]
            if downsample and block < BLOCKS - 1:
                layers.append(nn.AvgPool2d(2))
        self.features = nn.Sequential(*layers)
        self.judge = nn.Sequential(
            nn.Linear(widths[-1], width), nn.LeakyReLU(SLOPE), nn.Linear(width, 1)
        )
        initialise_convolutions(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 1, Y, X) patches to (N,) logits, positive for a target."""
        return self.judge(self.features(x).mean(dim=(-2, -1))).squeeze(-1)
