import pytest
import torch

from crossres.networks import PatchDiscriminator


def convolution(channels_in, channels_out):
    return 9 * channels_in * channels_out + channels_out


@pytest.mark.parametrize("downsample", [False, True])
@pytest.mark.parametrize("width", [1, 4, 32])
def test_parameters_are_those_of_the_printed_layers(width, downsample):
    # Wang 2019, eq. 6: a convolution, five blocks of two, two fully connected layers
    widths = [width, 2 * width, 4 * width, 8 * width, 16 * width]
    expected = convolution(1, width)
    for before, after in zip([width, *widths], widths, strict=False):
        expected += convolution(before, after) + convolution(after, after)
    expected += (16 * width + 1) * width + (width + 1)
    found = sum(p.numel() for p in PatchDiscriminator(width, downsample).parameters())
    assert found == expected


@pytest.mark.parametrize("downsample", [False, True])
@pytest.mark.parametrize("size", [(16, 16), (21, 34), (64, 64)])
def test_a_patch_of_any_size_gets_one_logit_and_every_weight_learns(size, downsample):
    torch.manual_seed(0)
    judge = PatchDiscriminator(2, downsample)
    logits = judge(torch.rand(3, 1, *size))
    assert logits.shape == (3,)
    logits.sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in judge.parameters())


@pytest.mark.parametrize("downsample", [False, True])
def test_features_are_averaged_over_the_whole_patch(downsample):
    # kernels without neighbours, so that nothing but the pooling can tell one place from another
    torch.manual_seed(0)
    judge = PatchDiscriminator(2, downsample).eval()
    for layer in judge.features:
        if isinstance(layer, torch.nn.Conv2d):
            layer.weight.data *= torch.tensor([[0, 0, 0], [0, 1, 0], [0, 0, 0]])
    patch = torch.rand(1, 1, 32, 32)
    with torch.inference_mode():
        logit = judge(patch)
        for other in (patch.repeat(1, 1, 2, 3), patch.roll((16, 16), (2, 3)), patch.flip(3)):
            torch.testing.assert_close(judge(other), logit)
