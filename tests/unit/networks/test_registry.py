import pytest
import torch

from crossres.jobs import InputError
from crossres.networks import NETWORKS, build

SIZES = [(16, 16), (1, 1), (7, 13), (33, 50), (48, 17)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_every_network_keeps_the_size_of_its_image(name, size):
    network = build(name, width=2)
    with torch.inference_mode():
        assert network(torch.rand(2, 1, *size)).shape == (2, 1, *size)


@pytest.mark.parametrize("size", [(16, 16), (19, 33)])
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_every_weight_of_every_network_learns(name, size):
    torch.manual_seed(0)
    network = build(name, width=2)
    network(torch.rand(2, 1, *size)).square().sum().backward()
    for key, weight in network.named_parameters():
        assert weight.grad is not None, key
        assert torch.isfinite(weight.grad).all(), key
        assert weight.grad.abs().sum() > 0, key


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_images_of_a_batch_do_not_mix(name):
    torch.manual_seed(0)
    network = build(name, width=2).eval()
    batch = torch.rand(3, 1, 20, 20)
    changed = batch.clone()
    changed[1] += 1.0
    with torch.inference_mode():
        difference = (network(changed) - network(batch)).abs().amax(dim=(1, 2, 3))
    assert difference[1] > 0
    assert difference[[0, 2]].max() < 1e-6


def test_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"'gna' is unknown.*cnn, gan"):
        build("gna")


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_volumes_are_refused(name):
    with pytest.raises(InputError, match="dims is 3"):
        build(name, dims=3)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_unknown_setting_is_refused_by_its_name(name):
    with pytest.raises(InputError, match="wdith"):
        build(name, wdith=8)
