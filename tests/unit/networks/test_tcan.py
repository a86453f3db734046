import pytest
import torch
from parameter_counts import convolution, count, fourier_block, u_net

from crossres.networks import build


def zeroed(network):
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    return network.eval()


@pytest.mark.parametrize(("width", "fourier_width", "joined"), [(32, None, 1), (8, 24, 3)])
def test_parameters_are_those_of_the_printed_layers(width, fourier_width, joined):
    wide = fourier_width or 2 * width
    fourier = convolution(width, wide) + 5 * 2 * fourier_block(wide) + convolution(wide, joined)
    expected = convolution(1, width) + convolution(joined, 1)
    expected += u_net(width, width, joined) + fourier
    found = build("tcan", width=width, fourier_width=fourier_width, joined=joined)
    assert count(found) == expected


def test_paper_scale_is_the_default():
    network = build("tcan")
    assert network.unet.upsampling == "nearest"
    assert (network.unet.last.in_channels, network.unet.last.out_channels) == (32, 1)
    assert network.fourier[0].out_channels == 64
    assert network.fourier[2].blocks[0].attention.gamma == 0.8
    assert network.fourier[2].blocks[0].attention.sigmoid


@pytest.mark.parametrize(("last_activation", "negative"), [(True, -0.2), (False, -2.0)])
def test_the_output_is_the_sum_of_both_halves(last_activation, negative):
    # the U-Net gives its last bias; DFCAN GELU of its own: GELU(1) = 0.8413447
    network = zeroed(build("tcan", width=4, groups=1, blocks=1, last_activation=last_activation))
    network.last.weight.data[0, 0, 1, 1] = 1.0
    network.fourier[-2].bias.data[:] = 1.0
    network.unet.last.bias.data[:] = 2.0 - 0.8413447
    image = torch.rand(1, 1, 20, 33)
    torch.testing.assert_close(network(image), torch.full_like(image, 2.0))
    # below zero the leaky ReLU of the last block leaves a tenth (eq. 1-2)
    network.unet.last.bias.data[:] = -2.0 - 0.8413447
    torch.testing.assert_close(network(image), torch.full_like(image, negative))


def test_both_halves_get_what_the_first_block_gives():
    network = build("tcan", width=4, groups=1, blocks=1).eval()
    seen = {}
    for half in ("unet", "fourier"):
        network.get_submodule(half).register_forward_pre_hook(
            lambda _, inputs, half=half: seen.update({half: inputs[0]})
        )
    image = torch.rand(1, 1, 16, 16)
    with torch.inference_mode():
        network(image)
        expected = torch.nn.functional.leaky_relu(network.first(image), 0.1)
    torch.testing.assert_close(seen["unet"], expected)
    torch.testing.assert_close(seen["fourier"], expected)


def test_gamma_and_sigmoid_reach_every_block():
    network = build("tcan", width=4, groups=2, blocks=2, gamma=0.1, sigmoid=False)
    attentions = [m for m in network.modules() if hasattr(m, "gamma")]
    assert [(a.gamma, a.sigmoid) for a in attentions] == [(0.1, False)] * 4
