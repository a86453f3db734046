"""What docs/networks.md says a training step takes is what a step of the recipe takes."""

import math
import re
from pathlib import Path

import pytest
from torch.utils.flop_counter import FlopCounterMode

from crossres.catalogue.networks import NETWORKS
from crossres.networks import build

PAGE = Path(__file__).parents[3] / "docs" / "networks.md"
ROW = re.compile(r"\| `(\w+)` \| (\d)D \|.*\| ([\d,]+) \|$", re.MULTILINE)
PATCH = {2: (64, 64), 3: (16, 64, 64)}
ALL = [(name, dims) for name in NETWORKS for dims in NETWORKS[name].dims]


@pytest.mark.parametrize(("name", "dims"), ALL)
def test_a_row_says_what_a_step_takes(step_without_values, name, dims):
    rows = {(n, int(d)): int(f.replace(",", "")) for n, d, f in ROW.findall(PAGE.read_text())}
    published = {"adversarial": {"recipe": "published"}} if name in ("gan", "tcan") else {}
    settings = NETWORKS[name](iterations=1, **published)
    shape = (settings.batch, 1, *PATCH[dims])
    step = step_without_values(build(name, dims), settings, shape)
    step()  # terms that join in later do so here
    with FlopCounterMode(display=False) as counter:
        step()
    assert round(counter.get_total_flops() / math.prod(shape) / 1000) == rows[name, dims]
