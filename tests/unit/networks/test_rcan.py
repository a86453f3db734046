import pytest
import torch
from parameter_counts import attention, convolution, count

from crossres.networks import build
from crossres.networks.rcan import AttentionBlock, ResidualGroup


def zeroed(module):
    for parameter in module.parameters():
        torch.nn.init.zeros_(parameter)
    return module.eval()


def test_the_3d_default_has_the_published_number_of_parameters():
    assert count(build("rcan", dims=3)) == 1_002_621  # Chen 2021


@pytest.mark.parametrize(("dims", "groups", "blocks", "width"), [(2, 5, 3, 32), (3, 2, 1, 16)])
def test_parameters_are_those_of_the_printed_layers(dims, groups, blocks, width):
    inner = convolution(width, width, dims=dims)
    block = 2 * inner + attention(width, width // 8, dims)
    expected = convolution(1, width, dims=dims) + convolution(width, 1, dims=dims)
    expected += groups * (blocks * block + inner) + inner
    assert count(build("rcan", dims, groups=groups, blocks=blocks, width=width)) == expected


@pytest.mark.parametrize("size", [(9, 7), (3, 9, 7)])
def test_every_block_adds_its_own_skip(size):
    features = torch.rand(1, 8, *size)
    block = zeroed(AttentionBlock(len(size), 8, 2, None))
    torch.testing.assert_close(block(features), features)


def test_every_group_adds_its_own_skip():
    # with one block that doubles what it gets, and a convolution that passes it on: x + 2x
    group = zeroed(ResidualGroup(2, 4, 1, 2, None))
    group.blocks[0].forward = lambda x: 2 * x
    for channel in range(4):
        group.last.weight.data[channel, channel, 1, 1] = 1.0
    features = torch.rand(1, 4, 9, 7)
    torch.testing.assert_close(group(features), 3 * features)


def test_input_and_output_are_mapped_and_the_long_skip_added():
    # the first convolution passes 2x - 1 on, nothing changes it, the last gives it: x again;
    # a convolution after all groups that passes on as well, 2 (2x - 1) / 2 + 1 / 2
    network = zeroed(build("rcan", width=4, groups=1, blocks=1, reduction=2))
    image = torch.rand(1, 1, 12, 9)
    for layer in (network.first, network.last):
        layer.weight.data[0, 0, 1, 1] = 1.0
    torch.testing.assert_close(network(image), image)
    network.after_groups.weight.data[0, 0, 1, 1] = 1.0
    torch.testing.assert_close(network(image), 2 * image - 0.5)


def test_attention_weighs_each_channel_between_0_and_1():
    block = zeroed(AttentionBlock(2, 4, 2, None))
    block.second.bias.data[:] = torch.tensor([1.0, 2.0, 3.0, 4.0])
    block.attention.excite.bias.data[:] = torch.tensor([-100.0, 0.0, 100.0, 0.0])
    features = torch.zeros(1, 4, 5, 5)
    found = block(features)[0, :, 2, 2]
    torch.testing.assert_close(found, torch.tensor([0.0, 1.0, 3.0, 2.0]))
