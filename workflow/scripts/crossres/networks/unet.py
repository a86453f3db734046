"""The U-Net generator of Wang et al. 2019: ``gan`` and ``cnn``, and a half of ``tcan``."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from crossres.networks.image_network import ImageNetwork
from crossres.networks.layers import (
    convolution,
    crop_to,
    in_float32,
    initialise_he,
    pad_to_multiple,
    reach_of_levels,
    upsampled,
)

SLOPE = 0.1
"""Slope of the leaky ReLU on the negative side (Wang 2019, eq. 4; Huang 2023, eq. 2)."""


class TripleConvolution(nn.Sequential):
    """Three times convolution and leaky ReLU, 3x3, zero-padded to keep the size."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        layers: list[nn.Module] = []
        for source in (channels_in, channels_out, channels_out):
            # in place: a convolution's gradient does not need its output
            layers += [convolution(2, source, channels_out), nn.LeakyReLU(SLOPE, inplace=True)]
        super().__init__(*layers)


class UNet(ImageNetwork):
    """U-Net with residual down blocks: Wang et al. 2019, Methods, eq. 3-5.

    Four down blocks x_k = x_{k-1} + three (Conv, LReLU), where x_{k-1} is padded with zero
    channels to the width of x_k, each followed by average pooling; one convolution at the
    bottom; four up blocks of three (Conv, LReLU) on the concatenation of the skip x_{5-k} with
    the upsampled y_{k-1}; a last convolution to one channel.

    Where the text is silent, and what is done here:

    - widths: 32, 64, 128, 256 for the down blocks, 512 at the bottom, and back (the last
      convolution maps 32 channels to 1, which is printed);
    - kernels 3x3, zero padding; upsampling bilinear, half-pixel centres;
    - a leaky ReLU follows the convolution at the bottom;
    - initialisation: He's, for the slope of 0.1 (He et al. 2015, eq. 14), biases 0;
    - sizes not divisible by 16 are padded at the bottom and right by repeating the border, and
      cropped again.

    Parameters
    ----------
    width
        Channels of the first down block; each further block doubles them.
    depth
        Number of down blocks.
    upsampling
        "bilinear", or "nearest" as Huang et al. 2023 print.
    channels_in, channels_out
        1 for a network by itself; others where it is part of another network.
    """

    def __init__(
        self,
        width: int,
        depth: int,
        upsampling: str,
        channels_in: int = 1,
        channels_out: int = 1,
    ) -> None:
        reach = reach_of_levels(depth, 3, 1, 3, 1, upsampling == "bilinear")
        # at the widest level: all skips, the upsampled maps, and the two concatenated
        live = channels_in + channels_out + 9 * width
        super().__init__((2**depth,) * 2, (reach,) * 2, live)
        widths = [width * 2**level for level in range(depth + 1)]
        sources = [channels_in, *widths[: depth - 1]]
        self.upsampling = upsampling
        self.down = nn.ModuleList(
            TripleConvolution(a, b) for a, b in zip(sources, widths[:depth], strict=True)
        )
        self.bottom = convolution(2, widths[depth - 1], widths[depth])
        self.up = nn.ModuleList(
            TripleConvolution(widths[level + 1] + widths[level], widths[level])
            for level in reversed(range(depth))
        )
        self.last = convolution(2, width, channels_out)
        initialise_he(self, SLOPE)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels_in, Y, X) to (N, channels_out, Y, X)."""
        size = x.shape[2:]
        x = pad_to_multiple(x, 2 ** len(self.down))
        skips = []
        for block in self.down:
            y = block(x)
            # the image is float32, and would make all that follows so at twice the bytes
            x = y + F.pad(x.to(y.dtype), (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))
            skips.append(x)
            x = F.avg_pool2d(x, 2)
        x = F.leaky_relu(self.bottom(x), SLOPE)
        for block in self.up:
            x = upsampled(x, self.upsampling)
            x = torch.cat([skips.pop(), x], dim=1)
            x = block(x)
        return crop_to(in_float32(self.last, x), size)
