import pytest
import torch
from small_networks import CASES, small_case

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("name", "dims", "pooling_px"), CASES)
def test_in_bfloat16_a_network_gives_nearly_the_same(name, dims, pooling_px):
    network = small_case(name, dims, pooling_px)
    image = torch.rand(1, 1, *(5, 19, 23)[-dims:])
    with torch.inference_mode():
        expected = network(image)
        with torch.autocast("cpu", torch.bfloat16):
            found = network(image).float()
    # bfloat16 keeps 8 bits: 0.4 % a rounding
    assert (found - expected).square().mean().sqrt() < 0.05 * expected.square().mean().sqrt()
