import pytest
import torch
from parameter_counts import convolution, count

from crossres.networks import build


@pytest.mark.parametrize(("dims", "kernel"), [(2, 5), (3, 3)])
def test_parameters_are_those_of_the_packages_default(dims, kernel):
    # CSBDeep: 32, 64 filters down, 128 and 64 at the bottom, and back on concatenations; 1x1 last
    pairs = [(1, 32), (32, 32), (32, 64), (64, 64), (64, 128), (128, 64)]
    pairs += [(128, 64), (64, 32), (64, 32), (32, 32)]
    expected = sum(convolution(a, b, kernel, dims) for a, b in pairs) + 32 + 1
    assert count(build("care", dims)) == expected


@pytest.mark.parametrize("size", [(37, 53), (5, 19, 23)])
def test_what_is_learnt_is_added_to_the_image(size):
    network = build("care", len(size), width=2).eval()
    for parameter in network.last.parameters():
        torch.nn.init.zeros_(parameter)
    image = torch.rand(1, 1, *size)
    assert torch.equal(network(image), image)
    network.last.bias.data[:] = -3.0  # and it is linear
    torch.testing.assert_close(network(image), image - 3.0)


@pytest.mark.parametrize("size", [(12, 20), (8, 12, 20)])
def test_poolings_keep_the_largest(size):
    network = build("care", len(size), width=1, depth=1).eval()
    seen = []
    network.bottom.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network.down[0].register_forward_hook(lambda *given: seen.append(given[-1]))
    with torch.inference_mode():
        network(torch.rand(1, 1, *size))
    fine, coarse = seen
    blocks = fine
    for axis in range(2, fine.dim()):
        blocks = blocks.unfold(axis, 2, 2)
    assert torch.equal(coarse, blocks.flatten(-len(size)).amax(-1))
