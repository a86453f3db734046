"""Which sizes of image other programs may give an exported network, tile by tile."""

from collections.abc import Sequence
from dataclasses import dataclass

from crossres.networks.image_network import ImageNetwork

TEST_PX = {2: (256, 256), 3: (16, 128, 128)}
"""The largest test image, unless the network's smallest tile is larger."""

USEFUL_PX = 64
"""The smallest tile keeps at least as much when its halo is cut off."""


@dataclass(frozen=True)
class TileAxis:
    """The sizes of image that a network is given along one axis, in pixels.

    Parameters
    ----------
    name
        "z", "y" or "x".
    min_px, step_px
        Sizes are min_px + n * step_px, n = 0, 1, 2 ...
    halo_px
        What is cut off a tile on either side, as it depends on what lies outside; 0 along z.
    test_px
        Size of the test image.
    """

    name: str
    min_px: int
    step_px: int
    halo_px: int
    test_px: int


def tile_axes(network: ImageNetwork, shape: Sequence[int]) -> list[TileAxis]:
    """Return the sizes that a network is given, axis by axis.

    The halo is how far an output pixel sees through convolutions, and half a field of an
    attention network, up to the next multiple of the stride: tiles then begin where strides do.
    Along z there is none: volumes are thinner than it would be, and networks were trained on
    whole depths, at whose ends they see zeros. Tiles take all slices instead.

    Parameters
    ----------
    network
        What is exported.
    shape
        Of a sample image.
    """
    dims = len(shape)
    names = "zyx"[-dims:]
    fields = network.field_px or (0,) * dims
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
