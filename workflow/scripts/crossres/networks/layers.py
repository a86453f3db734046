"""Convolutions in 2D and 3D, where their weights start, and sizes that poolings can halve."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CONVOLUTIONS = (nn.Conv2d, nn.Conv3d)

FEW_LINES = 20480
"""Where one float32 volume alone has no more channels x Z x Y than this, torch convolves it without
oneDNN on CPUs, which takes many times as long (use_mkldnn in aten's Convolution.cpp)."""


class Convolution3d(nn.Conv3d):
    """nn.Conv3d that computes a small volume alone as one of two, which takes the fast way."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, Z, Y, X) as nn.Conv3d does."""
        if torch.jit.is_tracing() or x.shape[0] > 1 or x.device.type != "cpu":
            return super().forward(x)
        if x.shape[1:-1].numel() > FEW_LINES:
            return super().forward(x)
        return super().forward(x.expand(2, *x.shape[1:]))[:1]


def convolution(
    dims: int, channels_in: int, channels_out: int, kernel: int = 3
) -> nn.Conv2d | nn.Conv3d:
    """Return a convolution of an odd kernel, zero-padded to keep the size, with bias."""
    kind = nn.Conv2d if dims == 2 else Convolution3d
    return kind(channels_in, channels_out, kernel, padding=kernel // 2)


def in_float32(layer: nn.Module, x: Tensor) -> Tensor:
    """Apply a network's last layer in float32, whatever the others are computed in.

    bfloat16 has 8 significant bits: an image of 20,000 counts would come in steps of 128.
    """
    device = x.device.type
    if not torch.amp.is_autocast_available(device) or not torch.is_autocast_enabled(device):
        return layer(x)
    with torch.autocast(device, enabled=False):
        return layer(x.float())


def initialise_he(network: nn.Module, slope: float, scale: float = 1.0) -> None:
    """He initialisation for leaky ReLUs of a slope (He et al. 2015, eq. 14), biases 0.

    Parameters
    ----------
    network
        All its convolutions and fully connected layers are set.
    slope
        On the negative side; 0 is a ReLU.
    scale
        By what the weights are multiplied in the end.
    """
    for module in network.modules():
        if isinstance(module, (*CONVOLUTIONS, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, a=slope)
            with torch.no_grad():
                module.weight.mul_(scale)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def initialise_glorot(network: nn.Module) -> None:
    """Glorot's uniform initialisation and biases 0, where Keras starts."""
    for module in network.modules():
        if isinstance(module, CONVOLUTIONS):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def pad_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """Continue the far ends of all spatial axes by their border, to multiples of a number.

    Parameters
    ----------
    x
        (N, C, [Z, ]Y, X).
    multiple
        Of pixels, the same for all axes.
    """
    pads: list[int] = []
    for size in reversed(x.shape[2:]):
        pads += [0, -size % multiple]
    # a recorded network must pad whatever the size is that it is run with
    if not torch.jit.is_tracing() and not any(pads):
        return x
    return F.pad(x, pads, mode="replicate")


def crop_to(x: Tensor, size: Sequence[int]) -> Tensor:
    """Return the first ``size`` pixels along the spatial axes of (N, C, [Z, ]Y, X)."""
    window: tuple[Any, ...] = (..., *(slice(0, n) for n in size))
    return x[window]


def reach_of_levels(depth: int, down: int, bottom: int, up: int, last: int, bilinear: bool) -> int:
    """Return how far an output pixel of a U-Net sees, along one axis, in pixels.

    The pixels that an output pixel depends on are followed back layer by layer; where the
    poolings fall differs from pixel to pixel, and the furthest counts.

    Parameters
    ----------
    depth
        Poolings by 2.
    down, bottom, up
        Reach of all convolutions of one level on the way down, at the bottom, and on the way
        up, in pixels of that level.
    last
        Reach of the convolutions after the last level.
    bilinear
        Upsampling is bilinear, half-pixel centres; else nearest.
    """
    reach = 0
    for pixel in range(2**depth):
        first, final = pixel - last, pixel + last
        skips = []
        for _ in range(depth):
            first, final = first - up, final + up
            skips.append((first, final))
            first, final = (
                ((first - 1) // 2, (final + 1) // 2) if bilinear else (first // 2, final // 2)
            )
        first, final = first - bottom, final + bottom
        for skip_first, skip_final in reversed(skips):
            first, final = min(2 * first, skip_first), max(2 * final + 1, skip_final)
            first, final = first - down, final + down
        reach = max(reach, pixel - first, final - pixel)
    return reach
