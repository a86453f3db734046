import math

import pytest
import torch
from torch import nn

from crossres.networks.layers import (
    convolution,
    crop_to,
    initialise_glorot,
    initialise_he,
    pad_to_multiple,
)


@pytest.mark.parametrize("slope", [0.0, 0.1, 0.25])
@pytest.mark.parametrize("scale", [1.0, 0.1])
def test_he_weights_have_the_variance_he_proposed(slope, scale):
    # He 2015, eq. 14: variance 2 / ((1 + slope^2) fan_in)
    torch.manual_seed(0)
    layers = nn.Sequential(convolution(2, 64, 64), nn.Linear(500, 300))
    initialise_he(layers, slope, scale)
    for layer, fan_in in zip(layers, (9 * 64, 500), strict=True):
        expected = scale * math.sqrt(2 / ((1 + slope**2) * fan_in))
        assert layer.weight.std().item() == pytest.approx(expected, rel=0.02)
        assert (layer.bias == 0).all()


@pytest.mark.parametrize("dims", [2, 3])
def test_glorot_weights_are_uniform_in_the_range_glorot_proposed(dims):
    # Glorot 2010, eq. 16: uniform within sqrt(6 / (fan_in + fan_out))
    torch.manual_seed(0)
    layer = convolution(dims, 16, 48)
    initialise_glorot(layer)
    most = math.sqrt(6 / (3**dims * (16 + 48)))
    assert layer.weight.abs().max().item() == pytest.approx(most, rel=0.01)
    assert layer.weight.std().item() == pytest.approx(most / math.sqrt(3), rel=0.02)
    assert (layer.bias == 0).all()


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("size", [(6, 7), (3, 6, 7)])
def test_convolutions_keep_the_size(size, kernel):
    layer = convolution(len(size), 1, 2, kernel)
    assert layer(torch.rand(1, 1, *size)).shape == (1, 2, *size)


@pytest.mark.parametrize("volumes", [1, 2])
@pytest.mark.parametrize("channels", [1, 8, 200])
def test_a_volume_alone_is_convolved_as_by_torch_but_with_onednn(volumes, channels):
    layer = convolution(3, channels, 2)
    plain = nn.Conv3d(channels, 2, 3, padding=1)
    plain.load_state_dict(layer.state_dict())
    x = torch.rand(volumes, channels, 5, 24, 20, requires_grad=True)
    again = x.detach().clone().requires_grad_()
    with torch.profiler.profile() as profile:
        found = layer(x)
    used = {event.name for event in profile.events()}
    assert "aten::mkldnn_convolution" in used or not torch.backends.mkldnn.is_available()
    found.square().sum().backward()
    expected = plain(again)
    expected.square().sum().backward()
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(x.grad, again.grad, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(layer.weight.grad, plain.weight.grad, rtol=1e-4, atol=1e-3)


def test_far_ends_are_continued_by_their_border():
    image = torch.tensor([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]])
    expected = torch.tensor([[1, 2, 3, 3], [4, 5, 6, 6], [4, 5, 6, 6], [4, 5, 6, 6]])
    assert torch.equal(pad_to_multiple(image, 4)[0, 0], expected.float())


def test_sizes_on_the_multiple_are_left_as_they_are():
    image = torch.rand(1, 1, 4, 8, 12)
    assert pad_to_multiple(image, 4) is image


def test_cropping_keeps_the_beginning():
    image = torch.arange(24.0).reshape(1, 1, 4, 6)
    assert torch.equal(crop_to(image, (2, 3)), image[:, :, :2, :3])
