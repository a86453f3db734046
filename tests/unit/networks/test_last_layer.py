"""An image is given with the grey values of float32, whatever the layers before are computed in."""

import numpy as np
import pytest
import torch
from small_networks import ALL, small


@pytest.mark.parametrize(("name", "dims"), ALL)
def test_an_output_in_mixed_precision_has_more_values_than_bfloat16(name, dims):
    network = small(name, dims)
    image = torch.rand(1, 1, *(8, 32, 32)[-dims:])
    with torch.inference_mode():
        exact = network(image)
        with torch.autocast("cpu", torch.bfloat16):
            output = network(image)
    assert output.dtype == torch.float32
    assert not torch.equal(output, exact)
    assert torch.count_nonzero(output.bfloat16().float() != output) > 0.9 * output.numel()
    # bfloat16 has two to three digits
    np.testing.assert_allclose(output, exact, atol=0.1 * float(exact.std()))


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_without_mixed_precision_a_network_keeps_its_own(kind):
    network = small("care").to(kind)
    assert network(torch.rand(1, 1, 16, 16, dtype=kind)).dtype == kind
