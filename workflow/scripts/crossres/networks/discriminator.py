"""The discriminators of Wang et al. 2019, Huang et al. 2023 and of ESRGAN: one class for all."""

from torch import Tensor, nn

from crossres.networks.layers import convolution, initialise_he
from crossres.networks.unet import SLOPE


class PatchDiscriminator(nn.Module):
    """Is this patch a target or a restoration? Wang et al. 2019, Methods, eq. 6-7.

    A convolution, blocks of two (Conv, LReLU), the mean over the whole patch, fully connected
    layers. A sigmoid at the end is left to the loss, which works on logits: -log D overflows in
    float32 once D rounds to 0.

    ===================================  ======  ================  ==========
    setting                              Wang    Huang (eq. 10)    ESRGAN
    ===================================  ======  ================  ==========
    ``blocks``                           5       5                 4
    ``downsample``                       False   True              True
    ``fully_connected``                  2       3                 2
    ``width``                            32      32                64
    ``leading_convolution``              True    True              False
    ===================================  ======  ================  ==========

    Where the texts are silent, and what is done here:

    - Wang, widths 32, 64, 128, 256, 512: those of the closest public network; Huang prints no
      widths either, and gets the same; ESRGAN's 64, 128, 256, 512 are those of its code;
    - Wang, stride 1 throughout (``downsample=False``). The paper pools with a filter of the
      patch's own size, H x W, which holds only at stride 1; and its times agree: at stride 1 an
      iteration on 12 patches of 64 x 64 takes 3.8 TFLOP, which a card of their time does at about
      70 % of its 8 TFLOP/s in the printed 0.65 s (500,000 iterations in 90 h); with strides it
      would be 27 times less;
    - Huang prints 2x2 average pooling between blocks, and not what turns maps into a vector: the
      mean over what is left of the patch, as in Wang, so that patches may have any size. A
      pooling after the last block would change nothing but the border then, and there is none;
    - fully connected layers: the last hidden one has ``width`` channels, each before it four
      times more, at most as many as the last block: 512-32-1, 512-128-32-1, 512-64-1. ESRGAN's
      code has 100 hidden channels, on a flattened map of fixed size;
    - a leaky ReLU of slope 0.1 follows each convolution and each hidden layer;
    - ESRGAN: its code halves the size by strides and normalises batches; pooling is used here,
      and no normalisation: with it, a restoration would be judged by the others of its batch;
    - Chen et al. 2021 print 8 convolutions and two dense layers for ESRGAN: four blocks without
      the leading convolution; with it there are nine.

    Parameters
    ----------
    width
        Channels of the first convolution and the first block; each further block doubles them.
    downsample
        Average pooling by 2 after every block but the last.
    fully_connected
        Fully connected layers.
    blocks
        Blocks of two convolutions.
    leading_convolution
        Whether there is a convolution before the first block.
    """

    def __init__(
        self,
        width: int = 32,
        downsample: bool = False,
        fully_connected: int = 2,
        blocks: int = 5,
        leading_convolution: bool = True,
    ) -> None:
        super().__init__()
        widths = [width * 2**block for block in range(blocks)]
        layers: list[nn.Module] = []
        source = 1
        if leading_convolution:
            layers += _convolved(source, width)
            source = width
        for block, target in enumerate(widths):
            layers += _convolved(source, target) + _convolved(target, target)
            if downsample and block < blocks - 1:
                layers.append(nn.AvgPool2d(2, ceil_mode=True))
            source = target
        self.features = nn.Sequential(*layers)
        judge: list[nn.Module] = []
        for layer in reversed(range(fully_connected - 1)):
            hidden = min(width * 4**layer, widths[-1])
            judge += [nn.Linear(source, hidden), nn.LeakyReLU(SLOPE, inplace=True)]
            source = hidden
        self.judge = nn.Sequential(*judge, nn.Linear(source, 1))
        initialise_he(self, SLOPE)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 1, Y, X) patches to (N,) logits, positive for a target.

        Volumes, (N, 1, Z, Y, X), are judged slice by slice: (N * Z,) logits.
        """
        if x.dim() == 5:
            x = x.transpose(1, 2).flatten(0, 1)
        return self.judge(self.features(x).mean(dim=(-2, -1))).squeeze(-1)


def _convolved(channels_in: int, channels_out: int) -> list[nn.Module]:
    return [convolution(2, channels_in, channels_out), nn.LeakyReLU(SLOPE, inplace=True)]
