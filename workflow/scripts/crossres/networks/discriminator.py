"""The discriminators of Wang et al. 2019, Huang et al. 2023 and of ESRGAN: one class for all."""

from torch import Tensor, nn

from crossres.catalogue.adversarial import Adversarial
from crossres.networks.layers import convolution, initialise_he
from crossres.networks.unet import SLOPE


class PatchDiscriminator(nn.Module):
    """Is this patch a target or a restoration? Wang et al. 2019, Methods, eq. 6-7.

    A convolution, blocks of two (Conv, LReLU), the mean over the whole patch, fully connected
    layers. The loss works on logits, so there is no sigmoid at the end: -log D overflows in
    float32 once D rounds to 0. The catalogue has the settings of Wang et al. as defaults, and
    those of Huang et al. (eq. 10) and of ESRGAN with ``tcan`` and ``esrgan``.

    Where the texts are silent, and what is done here:

    - Wang, widths 32, 64, 128, 256, 512: those of the closest public network; Huang prints no
      widths either, and gets the same; ESRGAN's 64, 128, 256, 512 are those of its code;
    - Wang, stride 1 throughout (``downsample=False``). The paper pools with a filter of the
      patch's own size, H x W, which holds only at stride 1; and its times agree: at stride 1 an
      iteration on 12 patches of 64 x 64 takes 3.8 TFLOP, which a card of their time does at about
      70 % of its 8 TFLOP/s in the printed 0.65 s (500,000 iterations in 90 h); with strides it
      would be 27 times less;
    - Huang prints 2x2 average pooling between blocks, and not what turns maps into a vector: the
      mean over the pooled maps, as in Wang, so that patches may have any size. There is no
      pooling after the last block: before a mean it would only change the border;
    - fully connected layers: the last hidden one has ``width`` channels, each one before it four
      times as many, up to those of the last block: 512-32-1, 512-128-32-1, 512-64-1. ESRGAN's
      code has 100 hidden channels, on a flattened map of fixed size;
    - a leaky ReLU of slope 0.1 follows each convolution and each hidden layer;
    - ESRGAN: its code halves the size by strides and normalises batches. Here it is pooled and
      not normalised: with batch normalisation a logit would depend on the rest of the batch;
    - Chen et al. 2021 print 8 convolutions and two dense layers for ESRGAN: four blocks without
      the leading convolution; with it there are nine.

    Parameters
    ----------
    settings
        Its ``width``, which each block doubles, ``blocks``, ``leading_convolution``,
        ``downsample`` and ``fully_connected``.
    """

    def __init__(self, settings: Adversarial) -> None:
        super().__init__()
        width = settings.width
        widths = [width * 2**block for block in range(settings.blocks)]
        layers: list[nn.Module] = []
        source = 1
        if settings.leading_convolution:
            layers += _convolved(source, width)
            source = width
        for target in widths:
            layers += _convolved(source, target) + _convolved(target, target)
            if settings.downsample and target < widths[-1]:
                layers.append(nn.AvgPool2d(2, ceil_mode=True))
            source = target
        self.features = nn.Sequential(*layers)
        head: list[nn.Module] = []
        for layer in reversed(range(settings.fully_connected - 1)):
            hidden = min(width * 4**layer, widths[-1])
            head += [nn.Linear(source, hidden), nn.LeakyReLU(SLOPE, inplace=True)]
            source = hidden
        self.head = nn.Sequential(*head, nn.Linear(source, 1))
        initialise_he(self, SLOPE)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 1, Y, X) patches to (N,) logits, positive for a target.

        Volumes, (N, 1, Z, Y, X), give a logit per slice, (N * Z,).
        """
        if x.dim() == 5:
            x = x.transpose(1, 2).flatten(0, 1)
        logits: Tensor = self.head(self.features(x).mean(dim=(-2, -1))).squeeze(-1)
        return logits


def _convolved(channels_in: int, channels_out: int) -> list[nn.Module]:
    return [convolution(2, channels_in, channels_out), nn.LeakyReLU(SLOPE, inplace=True)]
