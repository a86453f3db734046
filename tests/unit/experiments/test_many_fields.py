"""Planning takes time in proportion to the fields, however many there are."""

import time

import pytest

from crossres.experiments import Preparation

pytestmark = pytest.mark.slow

COUNT = 100_000
SECONDS = 10
"""Where any step looked through all fields for every batch, these were minutes."""


@pytest.fixture
def many(settings, load):
    settings["source"]["simulator"]["acquisition"]["fields"]["train"] = COUNT
    return load(settings, fields_per_job=25)


def test_thousands_of_batches_are_planned_in_seconds(many):
    began = time.perf_counter()
    batches = many.batches("beads", "train")
    assert len(batches) == COUNT // 25
    numbers = []
    for batch in batches:
        preparation = Preparation(many, "beads", batch)
        for role in ("input", "target"):
            assert len(preparation.importing(role)["fields"]) == 25
            preparation.made_by("registered", role)
        numbers += [number for _, number in many.numbered("beads", batch)]
    assert time.perf_counter() - began < SECONDS
    assert numbers == list(range(COUNT))
