import math

import pytest
import torch
import torch.nn.functional as F

from crossres.networks import build
from crossres.networks.unet import TripleConvolution, UNet


def convolution(channels_in, channels_out):
    """Weights and biases of a 3x3 convolution."""
    return 9 * channels_in * channels_out + channels_out


def triple(channels_in, channels_out):
    return convolution(channels_in, channels_out) + 2 * convolution(channels_out, channels_out)


@pytest.mark.parametrize("width", [1, 4, 32])
def test_parameters_are_those_of_the_printed_layers(width):
    # Wang 2019, eq. 3-5: four down blocks, one convolution, four up blocks on concatenations, last
    w1, w2, w3, w4, w5 = (width * 2**level for level in range(5))
    down = triple(1, w1) + triple(w1, w2) + triple(w2, w3) + triple(w3, w4)
    up = triple(w5 + w4, w4) + triple(w4 + w3, w3) + triple(w3 + w2, w2) + triple(w2 + w1, w1)
    expected = down + convolution(w4, w5) + up + convolution(w1, 1)
    assert sum(p.numel() for p in UNet(width).parameters()) == expected


@pytest.mark.parametrize("name", ["gan", "cnn"])
def test_paper_scale_is_the_default(name):
    # 32, 64, 128, 256 channels down and 512 at the bottom
    network = build(name)
    assert [block[0].out_channels for block in network.down] == [32, 64, 128, 256]
    assert network.bottom.out_channels == 512
    assert (network.last.in_channels, network.last.out_channels) == (32, 1)


def test_down_blocks_without_weights_pass_their_input_on_in_zero_channels():
    network = UNet(width=2).eval()
    for parameter in network.down.parameters():
        torch.nn.init.zeros_(parameter)
    seen = []
    for block in network.up:
        block.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    image = torch.rand(1, 1, 32, 48)
    with torch.inference_mode():
        network(image)
    # the up blocks run from the bottom; their first channels are the skips
    for level, joined in enumerate(reversed(seen)):
        skip = joined[:, : 2 * 2**level]
        expected = F.avg_pool2d(image, 2**level) if level else image
        torch.testing.assert_close(skip[:, :1], expected)
        assert (skip[:, 1:] == 0).all()


def test_leaky_relu_keeps_a_tenth_of_the_negative_side_each_time():
    block = TripleConvolution(1, 1)
    for parameter in block.parameters():
        torch.nn.init.zeros_(parameter)
    for layer in block:
        if isinstance(layer, torch.nn.Conv2d):
            layer.weight.data[0, 0, 1, 1] = 1.0
    with torch.inference_mode():
        found = block(torch.tensor([[[[-1.0, 2.0]]]]))
    torch.testing.assert_close(found, torch.tensor([[[[-1e-3, 2.0]]]]))


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_no_output_pixel_sees_further_than_stated(depth):
    torch.manual_seed(depth)
    network = UNet(width=1, depth=depth).double()
    side = 2 * (network.reach_px + 2 * network.stride)
    side += -side % network.stride
    image = torch.rand(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    output = network(image)[0, 0]
    # poolings fall differently for each pixel of a stride
    middle = side // 2
    for place in range(middle, middle + network.stride, max(1, network.stride // 4)):
        (gradient,) = torch.autograd.grad(output[place, place], image, retain_graph=True)
        seen = gradient[0, 0].abs().amax(dim=0).nonzero().ravel()
        assert place - network.reach_px <= seen.min()
        assert seen.max() <= place + network.reach_px


def test_stride_is_the_product_of_the_poolings():
    assert [UNet(width=1, depth=depth).stride for depth in (1, 2, 4)] == [2, 4, 16]


@pytest.mark.parametrize("size", [(30, 41), (17, 16)])
def test_sizes_off_the_stride_are_continued_by_their_border(size):
    torch.manual_seed(0)
    network = UNet(width=2).eval()
    image = torch.rand(1, 1, *size)
    missing = [-n % 16 for n in size]
    whole = F.pad(image, (0, missing[1], 0, missing[0]), mode="replicate")
    with torch.inference_mode():
        torch.testing.assert_close(network(image), network(whole)[..., : size[0], : size[1]])


def test_weights_start_as_he_proposed_and_biases_at_zero():
    # He 2015, eq. 14: variance 2 / ((1 + slope^2) fan_in)
    torch.manual_seed(0)
    network = UNet(width=16)
    weight = network.bottom.weight
    expected = math.sqrt(2 / ((1 + 0.1**2) * 9 * weight.shape[1]))
    assert weight.std().item() == pytest.approx(expected, rel=0.01)
    assert all((p == 0).all() for name, p in network.named_parameters() if name.endswith("bias"))
