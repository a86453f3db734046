"""Image and tile sizes that other programs may give an exported network."""

from collections.abc import Sequence
from dataclasses import dataclass

from crossres.networks import ImageNetwork

TEST_PX = {2: (256, 256), 3: (16, 128, 128)}
"""The largest test image, unless the network's smallest tile is larger."""

USEFUL_PX = 64
"""The smallest tile keeps at least this much without its halo."""


@dataclass(frozen=True)
class TileAxis:
    """The image sizes that a network takes along one axis, in pixels.

    Parameters
    ----------
    name
        "z", "y" or "x".
    min_px, step_px
        Sizes are min_px + n * step_px, n = 0, 1, 2 ...
    halo_px
        Cut off a tile on either side, as it depends on what lies outside; 0 along z.
    test_px
        Size of the test image.
    """

    name: str
    min_px: int
    step_px: int
    halo_px: int
    test_px: int


def tile_axes(network: ImageNetwork, shape: Sequence[int]) -> list[TileAxis]:
    """Return the image sizes that a network takes, axis by axis.

    The halo is the reach of the convolutions plus half a field of attention, rounded up to a
    multiple of the stride: tiles then begin where strides do. Along z there is none: volumes are
    thinner than their halo would be, and networks were trained on whole depths, with zeros beyond
    the ends. Tiles take all slices instead.

    Parameters
    ----------
    network
        The network to be exported.
    shape
        Of a sample image.
    """
    dims = len(shape)
    names = "zyx"[-dims:]
    fields = network.pooling_px or (0,) * dims
    strides, reaches = network.stride_px, network.reach_px
    axes = []
    for name, stride, reach, field, limit, px in zip(
        names, strides, reaches, fields, TEST_PX[dims], shape, strict=True
    ):
        if name == "z":
            slices = max(stride, min(px, limit) // stride * stride)
            axes.append(TileAxis(name, slices, stride, 0, slices))
            continue
        halo_px = -(-(reach + -(-field // 2)) // stride) * stride
        min_px = 2 * halo_px + -(-USEFUL_PX // stride) * stride
        test_px = min_px + max(0, min(px, limit) - min_px) // stride * stride
        axes.append(TileAxis(name, min_px, stride, halo_px, test_px))
    return axes
