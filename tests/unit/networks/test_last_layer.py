"""An image is given with the grey values of float32, whatever the layers before are computed in."""

import numpy as np
import pytest
import torch
from small_networks import ALL, small

from crossres.networks.layers import convolution, to_one_channel


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


@pytest.mark.parametrize("shape", [(2, 5, 7, 8), (1, 4, 3, 6, 7)])
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_a_convolution_to_one_channel_is_a_convolution(shape, kernel):
    dims = len(shape) - 2
    torch.manual_seed(0)
    layer = convolution(dims, shape[1], 1, kernel)
    x = torch.randn(shape, requires_grad=True)
    found, expected = to_one_channel(x, layer.weight, layer.bias), layer(x)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    given = [x, *layer.parameters()]
    weights = torch.randn_like(expected)
    gradients = [torch.autograd.grad(y, given, weights) for y in (found, expected)]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)
