import pytest
import torch
from small_networks import ALL, small

from crossres.networks import build
from crossres.networks.attention import WindowedAttention
from crossres.networks.layers import reach_of_levels

pytestmark = pytest.mark.slow

ACROSS_PX = 16
"""Size along the axes that are not looked along."""


@pytest.fixture(autouse=True)
def attention_off(monkeypatch):
    """Let convolutions alone pass on what a pixel sees."""
    monkeypatch.setattr(WindowedAttention, "forward", lambda self, x: x)


def all_open(network):
    """Make all weights positive: no path is closed by a ReLU, none cancels another."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    return network.double()


def measured_reach(network, dims, axis):
    """How far the output depends on the input along an axis, over all places of the poolings."""
    stride, reach = network.stride_px[axis], network.reach_px[axis]
    length = 2 * (reach + 2 * stride)
    length += -length % stride
    size = [ACROSS_PX] * dims
    size[axis] = length
    torch.manual_seed(1)
    image = torch.rand(1, 1, *size, dtype=torch.float64, requires_grad=True)
    output = network(image)
    furthest = 0
    for place in range(length // 2, length // 2 + stride):
        pixel = [ACROSS_PX // 2] * dims
        pixel[axis] = place
        (gradient,) = torch.autograd.grad(output[(0, 0, *pixel)], image, retain_graph=True)
        others = [d for d in range(dims) if d != axis]
        seen = gradient[0, 0].abs().amax(others).nonzero().ravel()
        furthest = max(furthest, place - seen.min().item(), seen.max().item() - place)
    return furthest


@pytest.mark.parametrize(("name", "dims"), ALL)
def test_an_output_pixel_sees_as_far_as_stated(name, dims):
    network = all_open(small(name, dims))
    # maxima hide what is not the largest, so the furthest pixels may not be seen by any
    hidden = 4 if name == "care" else 0
    for axis in range(dims):
        found = measured_reach(network, dims, axis)
        assert found <= network.reach_px[axis] <= found + hidden


@pytest.mark.parametrize("upsampling", ["bilinear", "nearest"])
@pytest.mark.parametrize("depth", [1, 3, 4])
def test_a_u_net_of_any_depth_sees_as_far_as_stated(depth, upsampling):
    network = all_open(build("gan", width=1, depth=depth, upsampling=upsampling))
    assert measured_reach(network, 2, 1) == network.reach_px[1]


def test_care_sees_as_far_as_its_averages_would():
    # by hand, kernels of 3 and one pooling: 2 + 2 * 2 + 2 pixels of convolutions, and one pixel
    # more, as the outer pixel of a pooled pair may be the one that counts
    assert reach_of_levels(1, down=2, bottom=2, up=2, last=0, bilinear=False) == 9


@pytest.mark.parametrize(
    ("name", "reach_px"),
    [
        ("rcan", 1 + 5 * (3 * 2 + 1) + 1 + 1),  # convolutions one behind the other, 3x3
        ("dfcan", 1 + 4 * 4 * 2 + 1 + 1),
        ("srresnet", 1 + 16 * 2 + 1 + 1 + 1),
        ("esrgan", 1 + 16 * 3 * 5 + 1 + 1 + 1),
    ],
)
def test_stacks_of_convolutions_see_a_pixel_further_with_each(name, reach_px):
    with torch.device("meta"):
        assert build(name).reach_px == (reach_px, reach_px)
