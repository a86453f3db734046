import pytest
import torch
from live_memory import LiveMemory, live_channels
from small_networks import ALL, small

WIDTHS = {"esrgan": {"width": 16, "growth": 8}}
SIZES = {2: (128, 128), 3: (8, 40, 48)}


def test_memory_is_counted_as_long_as_it_is_held():
    with LiveMemory() as memory:
        a = torch.zeros(1000)
        b = (a + 1) + 1  # three vectors at once
        del a
        c = b.view(10, 100)  # no memory of its own
        d = c * 2
    assert memory.peak_bytes == 3 * 4000
    assert memory.bytes == 2 * 4000
    assert d.numel() == 1000


@pytest.mark.parametrize(("name", "dims"), ALL)
def test_a_restoration_holds_no_more_than_stated_and_not_much_less(name, dims):
    network = small(name, dims, **WIDTHS.get(name, {"width": 16}))
    found = live_channels(network, torch.rand(1, 1, *SIZES[dims]))
    assert found <= network.live_channels <= 3 * found


@pytest.mark.parametrize("pooling_px", [(32, 32), (64, 48), (120, 120)])
@pytest.mark.parametrize("name", ["rcan", "tcan", "dfcan"])
def test_attention_in_windows_holds_no_more_than_stated(name, pooling_px):
    network = small(name, width=16, pooling_px=pooling_px)
    found = live_channels(network, torch.rand(1, 1, 128, 128))
    assert found <= network.live_channels <= 3 * found
