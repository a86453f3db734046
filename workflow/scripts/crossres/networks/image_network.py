"""What every network says of itself, so that any image can be restored in tiles."""

from collections.abc import Sequence
from math import lcm

from torch import nn

from crossres.jobs import InputError


class ImageNetwork(nn.Module):
    """Maps (N, 1, [Z, ]Y, X) to the same, of any size; knows what tiling must know.

    Parameters
    ----------
    stride_px
        Sizes are padded inside to multiples of it, an entry per spatial axis, ([z, ]y, x).
    reach_px
        How far an output pixel sees through convolutions and poolings, per axis; attention,
        which pools over a whole field, is left out.
    live_channels
        How many maps of the image's size, in float32, a restoration holds at once at most.
    field_px
        Field over which attention pools: the size of the training patches. Larger images are
        attended to in windows of it, which begin at multiples of half a field. None, or an
        image that is nowhere larger, pools over the whole image, as published.

    Attributes
    ----------
    stride_px : tuple of int
        As given, or with a field the smallest multiple of it that is also one of half the field:
        tiles that begin at its multiples have the poolings and the windows of the whole image.
    reach_px, field_px, live_channels
        As given.

    Raises
    ------
    InputError
        The field has not an entry per axis, or one below 1.
    """

    def __init__(
        self,
        stride_px: Sequence[int],
        reach_px: Sequence[int],
        live_channels: int,
        field_px: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.stride_px = tuple(stride_px)
        self.reach_px = tuple(reach_px)
        self.live_channels = live_channels
        self.field_px = None if field_px is None else tuple(int(n) for n in field_px)
        if self.field_px is None:
            return
        if len(self.field_px) != len(self.stride_px) or min(self.field_px) < 1:
            raise InputError(
                f"field_px is {list(self.field_px)}; it must have {len(self.stride_px)} entries "
                "of at least 1, one per axis: give the size of the training patches"
            )
        self.stride_px = tuple(
            lcm(stride, max(1, field // 2))
            for stride, field in zip(self.stride_px, self.field_px, strict=True)
        )
