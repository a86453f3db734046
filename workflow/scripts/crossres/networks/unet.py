"""The U-Net generator of Wang et al. 2019, used by ``gan`` and ``cnn``."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.1
"""Slope of the leaky ReLU on the negative side (Wang 2019, eq. 4)."""


class TripleConvolution(nn.Sequential):
    """Three times convolution and leaky ReLU, 3x3, zero-padded to keep the size."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        layers: list[nn.Module] = []
        for source in (channels_in, channels_out, channels_out):
            layers += [nn.Conv2d(source, channels_out, 3, padding=1), nn.LeakyReLU(SLOPE)]
        super().__init__(*layers)


class UNet(nn.Module):
    """U-Net with residual down blocks: Wang et al. 2019, Methods, eq. 3-5.

    Four down blocks x_k = x_{k-1} + three (Conv, LReLU), where x_{k-1} is padded with zero
    channels to the width of x_k, each followed by average pooling; one convolution at the
    bottom; four up blocks of three (Conv, LReLU) on the concatenation of the skip x_{5-k} with
    the upsampled y_{k-1}; a last convolution to one channel.

    Where the text is silent, and what is done here:

    - widths: 32, 64, 128, 256 for the down blocks, 512 at the bottom, and back (the last
      convolution maps 32 channels to 1, which is printed);
    - kernels 3x3, zero padding; upsampling bilinear, half-pixel centres;
    - initialisation: He's, for the slope of 0.1 (He et al. 2015, eq. 14), biases 0;
    - sizes not divisible by 16 are padded at the bottom and right by repeating the border, and
      cropped again.

    Parameters
    ----------
    width
        Channels of the first down block; each further block doubles them.
    depth
        Number of down blocks.
    """

    def __init__(self, width: int = 32, depth: int = 4) -> None:
        super().__init__()
        widths: Sequence[int] = [width * 2**level for level in range(depth + 1)]
        sources = [1, *widths[: depth - 1]]
        self.stride = 2**depth
        self.down = nn.ModuleList(
            TripleConvolution(a, b) for a, b in zip(sources, widths[:depth], strict=True)
        )
        self.bottom = nn.Conv2d(widths[depth - 1], widths[depth], 3, padding=1)
        self.up = nn.ModuleList(
            TripleConvolution(widths[level + 1] + widths[level], widths[level])
            for level in reversed(range(depth))
        )
        self.last = nn.Conv2d(width, 1, 3, padding=1)
        initialise_convolutions(self)

    @property
    def reach_px(self) -> int:
        """How far, in pixels, an output pixel can see: half the receptive field, rounded up."""
        depth = len(self.down)
        blocks = sum(3 * 2**level for level in range(depth))
        # each pooling reaches 2^level - 1 further at most, each upsampling one coarse pixel
        pooling = sum(2**level for level in range(depth))
        upsampling = sum(2 ** (level + 1) for level in range(depth))
        return 2 * blocks + 2**depth + 1 + pooling + upsampling

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 1, Y, X) to (N, 1, Y, X)."""
        height, width = x.shape[-2:]
        x = F.pad(x, (0, -width % self.stride, 0, -height % self.stride), mode="replicate")
        skips = []
        for block in self.down:
            y = block(x)
            x = y + F.pad(x, (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))
            skips.append(x)
            x = F.avg_pool2d(x, 2)
        x = F.leaky_relu(self.bottom(x), SLOPE)
        for block, skip in zip(self.up, reversed(skips), strict=True):
            x = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
            x = block(torch.cat([skip, x], dim=1))
        return self.last(x)[..., :height, :width]


def initialise_convolutions(network: nn.Module) -> None:
    """He initialisation for leaky ReLUs of slope 0.1, biases 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, a=SLOPE)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
