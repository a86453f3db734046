import math

import pytest
import torch
import torch.nn.functional as F
from parameter_counts import count, u_net

from crossres.networks import build
from crossres.networks.unet import TripleConvolution, UNet


@pytest.mark.parametrize("width", [1, 4, 32])
def test_parameters_are_those_of_the_printed_layers(width):
    assert count(build("gan", width=width)) == u_net(width)


@pytest.mark.parametrize("name", ["gan", "cnn"])
def test_paper_scale_is_the_default(name):
    # 32, 64, 128, 256 channels down and 512 at the bottom
    network = build(name)
    assert [block[0].out_channels for block in network.down] == [32, 64, 128, 256]
    assert network.bottom.out_channels == 512
    assert (network.last.in_channels, network.last.out_channels) == (32, 1)


def test_down_blocks_without_weights_pass_their_input_on_in_zero_channels():
    network = build("gan", width=2).eval()
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


@pytest.mark.parametrize("size", [(30, 41), (17, 16)])
def test_sizes_off_the_stride_are_continued_by_their_border(size):
    torch.manual_seed(0)
    network = build("gan", width=2).eval()
    image = torch.rand(1, 1, *size)
    missing = [-n % 16 for n in size]
    whole = F.pad(image, (0, missing[1], 0, missing[0]), mode="replicate")
    with torch.inference_mode():
        torch.testing.assert_close(network(image), network(whole)[..., : size[0], : size[1]])


@pytest.mark.parametrize(("upsampling", "between"), [("nearest", 1.0), ("bilinear", 0.75)])
def test_upsampling_repeats_pixels_or_passes_between_them(upsampling, between):
    network = build("gan", width=1, depth=1, upsampling=upsampling).eval()
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    # the bottom passes the image on; the up block sees it behind the skip and two channels
    network.bottom.weight.data[:, 0, 1, 1] = 1.0
    seen = []
    network.up[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    image = torch.zeros(1, 1, 2, 8)
    image[..., 4:] = 1.0
    with torch.inference_mode():
        network(image)
    expected = torch.tensor([0, 0, 0, 1 - between, between, 1, 1, 1])
    torch.testing.assert_close(seen[0][0, 1, 0], expected)


def test_a_part_of_another_network_has_other_channels():
    network = UNet(2, 2, "bilinear", channels_in=5, channels_out=3)
    with torch.inference_mode():
        assert network(torch.rand(1, 5, 9, 14)).shape == (1, 3, 9, 14)


def test_weights_start_as_he_proposed_and_biases_at_zero():
    # He 2015, eq. 14: variance 2 / ((1 + slope^2) fan_in)
    torch.manual_seed(0)
    network = build("gan", width=16)
    weight = network.bottom.weight
    expected = math.sqrt(2 / ((1 + 0.1**2) * 9 * weight.shape[1]))
    assert weight.std().item() == pytest.approx(expected, rel=0.01)
    assert all((p == 0).all() for name, p in network.named_parameters() if name.endswith("bias"))
