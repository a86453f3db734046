"""Other programs run networks as torch.jit.trace records them, at sizes of their own."""

import io

import pytest
import torch
from small_networks import CASES, field_of, small_case

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:`torch.jit.*:DeprecationWarning"),
]

RECORDED = {2: (96, 80), 3: (6, 24, 20)}
RUN = {2: [(112, 64), (37, 53), (6, 7)], 3: [(5, 31, 18), (12, 8, 9), (3, 4, 5)]}


def recorded(network, dims):
    with torch.inference_mode():
        return torch.jit.trace(network, torch.rand(1, 1, *RECORDED[dims]), check_trace=False)


@pytest.mark.parametrize(("name", "dims", "pooling_px"), CASES)
def test_a_recorded_network_works_at_other_sizes(name, dims, pooling_px):
    network = small_case(name, dims, pooling_px and field_of(dims, 32, 4))
    trace = recorded(network, dims)
    for size in RUN[dims]:
        image = torch.rand(2, 1, *size)
        with torch.inference_mode():
            torch.testing.assert_close(trace(image), network(image), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["rcan", "dfcan"])
def test_a_recorded_network_comes_back_from_its_file(name):
    network = small_case(name, 2, (32, 32))
    file = io.BytesIO()
    torch.jit.save(recorded(network, 2), file)
    file.seek(0)
    image = torch.rand(1, 1, 70, 41)
    with torch.inference_mode():
        found, expected = torch.jit.load(file)(image), network(image)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
