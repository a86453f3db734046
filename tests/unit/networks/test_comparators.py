"""SRResNet and ESRGAN: what Chen et al. 2021 compare with."""

from itertools import pairwise

import pytest
import torch
from parameter_counts import convolution, count
from small_networks import small

from crossres.networks import build
from crossres.networks.esrgan import DenseBlock, ResidualDenseBlock
from crossres.networks.srresnet import ResidualBlock


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize(("blocks", "width"), [(16, 64), (2, 8)])
def test_srresnet_has_the_parameters_of_the_printed_layers(dims, blocks, width):
    inner, normalised = convolution(width, width), 2 * width  # a scale and an offset a map
    block = 2 * (inner + normalised) + 1  # and the slope of the ReLU
    expected = convolution(1, width) + blocks * block + inner + normalised
    expected += inner + 1 + convolution(width, 1)
    assert count(build("srresnet", dims, blocks=blocks, width=width)) == expected


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize(("blocks", "width", "growth"), [(16, 64, 32), (2, 8, 4)])
def test_esrgan_has_the_parameters_of_the_printed_layers(dims, blocks, width, growth):
    dense = sum(convolution(width + k * growth, growth) for k in range(4))
    dense += convolution(width + 4 * growth, width)
    expected = convolution(1, width) + blocks * 3 * dense
    expected += 2 * convolution(width, width) + convolution(width, 1)
    found = build("esrgan", dims, blocks=blocks, width=width, growth=growth)
    assert count(found) == expected


def test_residual_block_adds_its_input():
    block = ResidualBlock(4).eval()
    torch.nn.init.zeros_(block.body[3].weight)
    torch.nn.init.constant_(block.body[3].bias, 2.0)
    features = torch.rand(1, 4, 9, 7)
    # batch statistics at the start are 0 and 1
    torch.testing.assert_close(block(features), features + 2.0, rtol=1e-4, atol=1e-4)


def test_restored_images_depend_on_no_other_image_of_their_batch():
    # Chen 2021: the update of batch normalisation is off in use
    network = small("srresnet").train()
    for _ in range(3):
        network(torch.rand(4, 1, 12, 12))
    network.eval()
    images = torch.rand(2, 1, 12, 12)
    with torch.inference_mode():
        together, alone = network(images)[:1], network(images[:1])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_dense_blocks_add_a_fifth_of_what_they_find():
    # a dense block whose last convolution gives 1: x + 0.2; three: x + 0.6; around them again
    # a fifth: x + 0.2 (x + 0.6)
    block = ResidualDenseBlock(4, 2).eval()
    for dense in block.blocks:
        torch.nn.init.zeros_(dense.last.weight)
        torch.nn.init.ones_(dense.last.bias)
    features = torch.rand(1, 4, 9, 7)
    torch.testing.assert_close(block.blocks[0](features), features + 0.2)
    torch.testing.assert_close(block(features), 1.2 * features + 0.12)


def test_every_dense_convolution_sees_all_before_it():
    block = DenseBlock(4, 2).eval()
    seen = []
    for layer in [*block.grow, block.last]:
        layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.inference_mode():
        block(torch.rand(1, 4, 9, 7))
    assert [x.shape[1] for x in seen] == [4, 6, 8, 10, 12]
    for before, after in pairwise(seen):
        assert torch.equal(after[:, : before.shape[1]], before)
