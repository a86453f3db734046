import pytest
import torch
from parameter_counts import convolution, count, fourier_block

from crossres.networks import build
from crossres.networks.dfcan import FourierBlock, FourierGroup


def zeroed(module):
    for parameter in module.parameters():
        torch.nn.init.zeros_(parameter)
    return module.eval()


@pytest.mark.parametrize(("groups", "blocks", "width"), [(4, 4, 64), (1, 2, 32)])
def test_parameters_are_those_of_the_printed_layers(groups, blocks, width):
    expected = convolution(1, width) + groups * blocks * fourier_block(width)
    expected += convolution(width, width) + convolution(width, 1)
    assert count(build("dfcan", groups=groups, blocks=blocks, width=width)) == expected


def test_paper_scale_is_the_default():
    network = build("dfcan")
    groups = [layer for layer in network.body if isinstance(layer, FourierGroup)]
    assert [len(group.blocks) for group in groups] == [4, 4, 4, 4]
    assert network.last.in_channels == 64


def test_a_block_adds_its_input_and_a_group_too():
    # Huang 2023, eq. 8: FCAB(y) = y + ...; eq. 7: RG(y) = y + FCAB(FCAB(y)) = 2 y without weights
    features = torch.rand(1, 16, 9, 7)
    block = zeroed(FourierBlock(16, 0.8, True, None))
    torch.testing.assert_close(block(features), features)
    group = zeroed(FourierGroup(16, 2, 0.8, True, None))
    torch.testing.assert_close(group(features), 2 * features)


@pytest.mark.parametrize(("sigmoid", "weight"), [(True, 0.5), (False, 0.0)])
def test_attention_multiplies_what_the_convolutions_gave(sigmoid, weight):
    # GELU(1) = (1 + erf(1 / sqrt 2)) / 2 = 0.8413447; weights are all 0 before the sigmoid
    block = zeroed(FourierBlock(16, 0.8, sigmoid, None))
    block.second.bias.data[:] = 1.0
    found = block(torch.zeros(1, 16, 5, 5))
    torch.testing.assert_close(found, torch.full_like(found, weight * 0.8413447))


def test_the_output_may_take_any_value():
    network = zeroed(build("dfcan", width=16, groups=1, blocks=1))
    for value in (-3.0, 7.0):
        network.last.bias.data[:] = value
        assert network(torch.rand(1, 1, 6, 6)).mean().item() == pytest.approx(value)
