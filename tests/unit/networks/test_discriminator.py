import pytest
import torch

from crossres.catalogue.adversarial import Adversarial
from crossres.catalogue.networks import EsrganAdversarial, TcanAdversarial
from crossres.networks import PatchDiscriminator


def built(**settings):
    return PatchDiscriminator(Adversarial(**settings))


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
    found = sum(p.numel() for p in built(width=width, downsample=downsample).parameters())
    assert found == expected


def test_huangs_has_three_fully_connected_layers():
    # Huang 2023: five blocks and three layers, of 512, 128 and 32 channels
    discriminator = PatchDiscriminator(TcanAdversarial())
    layers = [m for m in discriminator.head if isinstance(m, torch.nn.Linear)]
    assert [(m.in_features, m.out_features) for m in layers] == [(512, 128), (128, 32), (32, 1)]
    assert len([m for m in discriminator.features if isinstance(m, torch.nn.AvgPool2d)]) == 4


def test_esrgans_has_eight_convolutions_and_two_dense_layers():
    # Chen 2021, Methods
    discriminator = PatchDiscriminator(EsrganAdversarial())
    convolutions = [m for m in discriminator.features if isinstance(m, torch.nn.Conv2d)]
    assert [m.out_channels for m in convolutions] == [64, 64, 128, 128, 256, 256, 512, 512]
    assert len([m for m in discriminator.head if isinstance(m, torch.nn.Linear)]) == 2


def test_a_leading_convolution_makes_it_nine():
    discriminator = built(width=64, downsample=True, blocks=4)
    convolutions = [m for m in discriminator.features if isinstance(m, torch.nn.Conv2d)]
    assert [m.in_channels for m in convolutions[:2]] == [1, 64]
    assert len(convolutions) == 9


@pytest.mark.parametrize("fully_connected", [1, 2, 3, 6])
def test_any_number_of_fully_connected_layers_ends_in_one_logit(fully_connected):
    discriminator = built(width=2, fully_connected=fully_connected, blocks=2)
    assert len([m for m in discriminator.head if isinstance(m, torch.nn.Linear)]) == fully_connected
    assert discriminator(torch.rand(3, 1, 8, 8)).shape == (3,)


def test_volumes_get_a_logit_per_slice():
    discriminator = built(width=2, downsample=True).eval()
    volumes = torch.rand(2, 1, 3, 16, 16)
    with torch.inference_mode():
        found = discriminator(volumes)
        alone = torch.stack([discriminator(volumes[:, :, z]) for z in range(3)], dim=1)
    torch.testing.assert_close(found, alone.flatten())


@pytest.mark.parametrize("downsample", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (16, 16), (21, 34), (64, 64)])
def test_a_patch_of_any_size_gets_one_logit_and_every_weight_learns(size, downsample):
    torch.manual_seed(0)
    discriminator = built(width=2, downsample=downsample)
    logits = discriminator(torch.rand(3, 1, *size))
    assert logits.shape == (3,)
    logits.sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in discriminator.parameters())


@pytest.mark.parametrize("downsample", [False, True])
def test_features_are_averaged_over_the_whole_patch(downsample):
    # kernels without neighbours, so that nothing but the pooling can tell one place from another
    torch.manual_seed(0)
    discriminator = built(width=2, downsample=downsample).eval()
    for layer in discriminator.features:
        if isinstance(layer, torch.nn.Conv2d):
            layer.weight.data *= torch.tensor([[0, 0, 0], [0, 1, 0], [0, 0, 0]])
    patch = torch.rand(1, 1, 32, 32)
    with torch.inference_mode():
        logit = discriminator(patch)
        for other in (patch.repeat(1, 1, 2, 3), patch.roll((16, 16), (2, 3)), patch.flip(3)):
            torch.testing.assert_close(discriminator(other), logit)
