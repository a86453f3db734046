"""The numbers of docs/networks.md are those of the code."""

import math
import re
from pathlib import Path

import pytest
import torch
from small_networks import ALL
from torch.utils.flop_counter import FlopCounterMode

from crossres.networks import build

PAGE = Path(__file__).parents[3] / "docs" / "networks.md"
ROW = re.compile(r"\| `(\w+)` \| (\d)D \| ([\d,]+) \| ([\d ×]+) \| ([\d,]+) \|")
COUNTED = {2: (256, 256), 3: (16, 64, 64)}


def rows():
    """(name, dims) to (parameters, receptive field, thousand FLOP per pixel)."""
    found = {}
    for name, dims, parameters, field, flop in ROW.findall(PAGE.read_text()):
        sizes = tuple(int(n) for n in field.split(" × "))
        numbers = (int(n.replace(",", "")) for n in (parameters, flop))
        found[name, int(dims)] = (next(numbers), sizes, next(numbers))
    return found


def test_every_network_has_a_row():
    assert sorted(rows()) == sorted(ALL)


@pytest.mark.parametrize(("name", "dims"), ALL)
def test_a_row_says_what_the_code_has(name, dims):
    parameters, receptive_field, thousand_flop = rows()[name, dims]
    with torch.device("meta"):
        network, image = build(name, dims).eval(), torch.empty(1, 1, *COUNTED[dims])
    assert sum(p.numel() for p in network.parameters()) == parameters
    assert tuple(2 * reach + 1 for reach in network.reach_px) == receptive_field
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(image)
    assert round(counter.get_total_flops() / math.prod(COUNTED[dims]) / 1000) == thousand_flop
