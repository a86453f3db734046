"""What every network states about itself, so that any image can be restored in tiles."""

from collections.abc import Sequence
from math import lcm

from torch import nn

from crossres.jobs import InputError


class ImageNetwork(nn.Module):
    """Maps (N, 1, [Z, ]Y, X) to the same, of any size, and states what tiling needs.

    Parameters
    ----------
    stride_px
        The network pads to multiples of it; an entry per spatial axis, ([z, ]y, x).
    reach_px
        How far an output pixel sees through convolutions and poolings, per axis. Attention is
        left out, as it pools over a whole field.
    live_channels
        Most float32 maps of the image's size that a restoration holds at once.
    pooling_px
        Field over which attention pools: the size of the training patches. On larger images it
        pools over windows of this size, every half field. With None, and on images no larger,
        it pools over the whole image, as published.

    Attributes
    ----------
    stride_px : tuple of int
        As given; with a field, its least common multiple with half the field. Tiles that begin at
        multiples of it have the poolings and windows of the whole image.
    reach_px, pooling_px, live_channels
        As given.

    Raises
    ------
    InputError
        The field lacks an entry per axis, or has one below 1.
    """

    def __init__(
        self,
        stride_px: Sequence[int],
        reach_px: Sequence[int],
        live_channels: int,
        pooling_px: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.stride_px = tuple(stride_px)
        self.reach_px = tuple(reach_px)
        self.live_channels = live_channels
        self.pooling_px = None if pooling_px is None else tuple(int(n) for n in pooling_px)
        if self.pooling_px is None:
            return
        if len(self.pooling_px) != len(self.stride_px) or min(self.pooling_px) < 1:
            raise InputError(
                f"pooling_px is {list(self.pooling_px)}; it needs {len(self.stride_px)} entries "
                "of at least 1, one per axis: give the size of the training patches"
            )
        self.stride_px = tuple(
            lcm(stride, max(1, field // 2))
            for stride, field in zip(self.stride_px, self.pooling_px, strict=True)
        )
