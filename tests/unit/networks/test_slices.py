import pytest
import torch
from small_networks import small


@pytest.mark.parametrize("name", ["srresnet", "esrgan"])
def test_volumes_pass_slice_by_slice(name):
    network = small(name, 3)
    volume = torch.rand(2, 1, 3, 14, 11)
    with torch.inference_mode():
        found = network(volume)
        for z in range(3):
            alone = network.network(volume[:, :, z])
            torch.testing.assert_close(found[:, :, z], alone, atol=1e-5, rtol=1e-4)


def test_a_slice_does_not_see_its_neighbours():
    network = small("srresnet", 3)
    assert network.stride_px == (1, 1, 1)
    assert network.reach_px == (0, *network.network.reach_px)
    assert network.live_channels == network.network.live_channels
