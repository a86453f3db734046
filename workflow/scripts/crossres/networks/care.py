"""CARE's U-Net, in 2D and 3D: Weigert et al. 2018, as Chen et al. 2021 use it."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from crossres.networks.image_network import ImageNetwork
from crossres.networks.layers import (
    convolution,
    crop_to,
    in_float32,
    initialise_glorot,
    pad_to_multiple,
    reach_of_levels,
    upsampled,
)


class DoubleConvolution(nn.Sequential):
    """Twice convolution and ReLU, zero-padded to keep the size."""

    def __init__(self, dims: int, kernel: int, source: int, middle: int, target: int) -> None:
        super().__init__(
            convolution(dims, source, middle, kernel),
            nn.ReLU(inplace=True),
            convolution(dims, middle, target, kernel),
            nn.ReLU(inplace=True),
        )


class CARE(ImageNetwork):
    """U-Net of content-aware restoration, as a comparator: Chen et al. 2021, Methods, "CARE".

    Two convolutions with ReLU a level, max pooling, two convolutions at the bottom, nearest
    upsampling, concatenation with the skip, two convolutions a level; a last linear 1x1
    convolution, whose output is added to the input.

    The text names the package (CSBDeep) and prints no architecture; it is the package's default:

    - depth 2, 32 filters doubling at each level, kernels of 5 in 2D and 3 in 3D;
    - the second convolution at the bottom and of each level on the way up already narrows to
      what the next level has;
    - max pooling by 2 along all axes, z too;
    - initialisation: Glorot's, biases 0.

    The package refuses sizes not divisible by 4; here their border is repeated up to the next
    such size, and the output cropped.

    Parameters
    ----------
    dims
        2 or 3.
    width
        Filters of the first level.
    depth
        Poolings.
    kernel
        Side of the convolutions; None is 5 in 2D and 3 in 3D.
    """

    def __init__(self, dims: int, width: int, depth: int, kernel: int | None) -> None:
        kernel = kernel or (5 if dims == 2 else 3)
        radius = 2 * (kernel // 2)
        reach = reach_of_levels(depth, radius, radius, radius, 0, bilinear=False)
        super().__init__((2**depth,) * dims, (reach,) * dims, 6 * width + 2)
        self.pool = F.max_pool2d if dims == 2 else F.max_pool3d
        widths = [width * 2**level for level in range(depth + 1)]
        narrower = [width, *widths[:-1]]
        sources = [1, *widths[:-1]]
        self.down = nn.ModuleList(
            DoubleConvolution(dims, kernel, sources[level], widths[level], widths[level])
            for level in range(depth)
        )
        self.bottom = DoubleConvolution(
            dims, kernel, sources[depth], widths[depth], narrower[depth]
        )
        self.up = nn.ModuleList(
            DoubleConvolution(dims, kernel, 2 * widths[level], widths[level], narrower[level])
            for level in reversed(range(depth))
        )
        self.last = convolution(dims, width, 1, kernel=1)
        initialise_glorot(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 1, [Z, ]Y, X) to the same."""
        image = x
        x = pad_to_multiple(x, 2 ** len(self.down))
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
            x = self.pool(x, 2)
        x = self.bottom(x)
        for block in self.up:
            x = upsampled(x, "nearest")
            x = torch.cat([x, skips.pop()], dim=1)
            x = block(x)
        return image + crop_to(in_float32(self.last, x), image.shape[2:])
