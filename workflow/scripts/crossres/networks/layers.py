"""Convolutions in 2D and 3D, their initial weights, and padding to sizes that can be halved."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CONVOLUTIONS = (nn.Conv2d, nn.Conv3d)

FEW_LINES = 20480
"""Up to this many channels x Z x Y, torch convolves a single float32 volume without oneDNN on CPUs,
which is many times slower (use_mkldnn in aten's Convolution.cpp)."""


class Convolution3d(nn.Conv3d):
    """nn.Conv3d that duplicates a batch of one: torch's fast CPU path needs larger batches."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, Z, Y, X) as nn.Conv3d does."""
        if is_tracing() or x.shape[0] > 1 or x.device.type != "cpu":
            return super().forward(x)
        if x.shape[1:-1].numel() > FEW_LINES:
            return super().forward(x)
        return super().forward(x.expand(2, *x.shape[1:]))[:1]


def is_tracing() -> bool:
    """Is torch.jit.trace recording a network, which branches on sizes would spoil?"""
    return bool(torch.jit.is_tracing())  # type: ignore[attr-defined, no-untyped-call]


def convolution(
    dims: int, channels_in: int, channels_out: int, kernel: int = 3
) -> nn.Conv2d | nn.Conv3d:
    """Return a convolution of an odd kernel, zero-padded to keep the size, with bias."""
    kind = nn.Conv2d if dims == 2 else Convolution3d
    return kind(channels_in, channels_out, kernel, padding=kernel // 2)


def last_convolution(network: nn.Module) -> nn.Conv2d | nn.Conv3d:
    """Return the convolution whose output is the image, which every network calls ``last``."""
    inner = getattr(network, "network", network)  # of one that passes volumes slice by slice
    last = inner.last
    assert isinstance(last, CONVOLUTIONS), type(inner)
    return last


def in_float32(layer: nn.Conv2d | nn.Conv3d, x: Tensor) -> Tensor:
    """Apply a network's last convolution in float32, also under autocast.

    bfloat16 has 8 significant bits: 20,000 counts would come in steps of 128.
    """
    device = x.device.type
    if device not in ("cpu", "cuda") or not torch.is_autocast_enabled(device):
        output: Tensor = layer(x)
        return output
    with torch.autocast(device, enabled=False):
        if device == "cuda" and layer.out_channels == 1:
            return to_one_channel(x.float(), layer.weight, layer.bias)
        output = layer(x.float())
        return output


def to_one_channel(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Convolve to one channel, zero-padded, as a product of matrices and a sum of shifted maps.

    cuDNN has no fast float32 kernel for one channel: that of the 3D RCAN's last layer, a hundredth
    of the work, took a fifth of the time of a training step.

    Parameters
    ----------
    x
        (N, C, [Z, ]Y, X), channels last in memory.
    weight
        (1, C, [kz, ]ky, kx), odd sides.
    bias
        (1,) or None.
    """
    kernel = weight.shape[2:]
    # a row a place in the kernel: what it gives at every pixel
    products = weight[0].flatten(1).T @ x.movedim(1, -1).flatten(0, -2).T
    maps = products.reshape(-1, x.shape[0], 1, *x.shape[2:]).unbind(0)
    total: Tensor | None = None
    for offsets, shifted in zip(product(*map(range, kernel)), maps, strict=True):
        moves = [k // 2 - offset for k, offset in zip(kernel, offsets, strict=True)]
        pads = [p for move in reversed(moves) for p in (move, -move)]
        moved = F.pad(shifted, pads)
        total = moved if total is None else total + moved
    assert total is not None
    return total if bias is None else total + bias


def initialise_he(network: nn.Module, slope: float, scale: float = 1.0) -> None:
    """He initialisation for leaky ReLUs of a slope (He et al. 2015, eq. 14), biases 0.

    Parameters
    ----------
    network
        All its convolutions and fully connected layers are initialised.
    slope
        On the negative side; 0 is a ReLU.
    scale
        Factor on the weights.
    """
    for module in network.modules():
        if isinstance(module, (*CONVOLUTIONS, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, a=slope)
            with torch.no_grad():
                module.weight.mul_(scale)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def initialise_glorot(network: nn.Module) -> None:
    """Glorot's uniform initialisation, biases 0: the default of Keras."""
    for module in network.modules():
        if isinstance(module, CONVOLUTIONS):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def pad_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """Repeat the border at the far ends of all spatial axes, up to multiples of a number.

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
    # a traced network must pad at any size
    if not is_tracing() and not any(pads):
        return x
    return F.pad(x, pads, mode="replicate")


def upsampled(x: Tensor, mode: str) -> Tensor:
    """Return (N, C, [Z, ]Y, X) at twice the size, half-pixel centres.

    In the type of ``x``, also under autocast, which would make it float32 and all that follows
    twice as many bytes; a convolution would round it again.

    Parameters
    ----------
    x
        Maps.
    mode
        "bilinear", of images, or "nearest".
    """
    corners = False if mode == "bilinear" else None
    if x.dtype != torch.bfloat16:
        return F.interpolate(x, scale_factor=2.0, mode=mode, align_corners=corners)
    with torch.autocast(x.device.type, enabled=False):
        return F.interpolate(x, scale_factor=2.0, mode=mode, align_corners=corners)


def crop_to(x: Tensor, size: Sequence[int]) -> Tensor:
    """Return the first ``size`` pixels along the spatial axes of (N, C, [Z, ]Y, X)."""
    window: tuple[Any, ...] = (..., *(slice(0, n) for n in size))
    return x[window]


def reach_of_levels(depth: int, down: int, bottom: int, up: int, last: int, bilinear: bool) -> int:
    """Return the reach of a U-Net: how far an output pixel sees along one axis, in pixels.

    Follows back, layer by layer, which pixels an output pixel depends on. That differs with its
    place in the grid of the poolings; the largest counts.

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
