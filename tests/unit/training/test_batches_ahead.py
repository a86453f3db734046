"""Batches that a thread prepares ahead of the step that needs them."""

import threading

import numpy as np
import pytest
import torch

from crossres.training import ProcessGroup, batches_ahead
from crossres.training.batches import Sampling, draw_batch, draw_crops
from crossres.training.batches_ahead import AHEAD, PatchesOnCard

CPU = torch.device("cpu")
SAMPLING = Sampling(batch=3, augment=True, seed=5, crop_px=4)
PATCHES = np.random.default_rng(0).random((2, 10, 6, 6)).astype(np.float32)


def ahead(first, last, patches=PATCHES, group=None):
    return batches_ahead.batches_ahead(*patches, SAMPLING, first, last, CPU, group)


@pytest.fixture
def drawn(monkeypatch):
    """Iterations whose batches were drawn, and one at which drawing fails."""
    record = {"iterations": [], "fail_at": None}

    def draw(*arguments):
        iteration = arguments[3]
        record["iterations"].append(iteration)
        if iteration == record["fail_at"]:
            raise RuntimeError("no such patch")
        return draw_batch(*arguments)

    monkeypatch.setattr(batches_ahead, "draw_batch", draw)
    return record


@pytest.mark.parametrize(("first", "last"), [(0, 12), (5, 12), (11, 12), (12, 12)])
@pytest.mark.parametrize("group", [None, ProcessGroup(1, 3)])
def test_batches_come_in_order_as_they_are_drawn(first, last, group):
    found = list(ahead(first, last, group=group))
    expected = [draw_batch(*PATCHES, SAMPLING, i, group) for i in range(first, last)]
    assert len(found) == len(expected)
    for pair, wanted in zip(found, expected, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(pair, wanted, strict=True))


def test_volumes_come_as_they_are_drawn():
    volumes = np.random.default_rng(1).random((2, 10, 3, 6, 6)).astype(np.float32)
    x, y = next(ahead(4, 5, volumes))
    expected = draw_batch(*volumes, SAMPLING, 4)
    assert torch.equal(x, expected[0])
    assert torch.equal(y, expected[1])


def test_no_more_is_drawn_than_is_needed_soon(drawn):
    waiting = ahead(0, 20)
    for _ in range(4):
        next(waiting)
    waiting.close()
    assert drawn["iterations"] == list(range(max(drawn["iterations"]) + 1))
    assert max(drawn["iterations"]) <= 3 + AHEAD
    drawn["iterations"].clear()
    list(ahead(0, 5))
    assert drawn["iterations"] == [0, 1, 2, 3, 4]


def test_batches_are_drawn_while_the_step_is_busy(drawn):
    waiting = ahead(0, 20)
    next(waiting)
    for _ in range(200):
        if len(drawn["iterations"]) >= AHEAD:
            break
        threading.Event().wait(0.01)
    waiting.close()
    assert len(drawn["iterations"]) >= AHEAD


def test_abandoned_it_leaves_no_thread_behind():
    before = threading.active_count()
    waiting = ahead(0, 1000)
    next(waiting)
    assert threading.active_count() == before + 1
    waiting.close()
    assert threading.active_count() == before


def test_used_up_it_leaves_no_thread_behind():
    before = threading.active_count()
    list(ahead(0, 6))
    assert threading.active_count() == before


def test_what_goes_wrong_in_the_thread_is_raised_where_the_batch_is_due(drawn):
    drawn["fail_at"] = 4
    got = []
    with pytest.raises(RuntimeError, match="no such patch"):
        for pair in ahead(0, 12):
            got.append(pair)
    assert len(got) == 4


@pytest.mark.parametrize("crop_px", [None, 4])
@pytest.mark.parametrize("augment", [False, True])
@pytest.mark.parametrize("shape", [(10, 6, 6), (10, 3, 6, 6)])
def test_batches_gathered_on_a_device_are_those_that_are_drawn(rng, crop_px, augment, shape):
    patches = rng.random((2, *shape)).astype(np.float32)
    sampling = Sampling(batch=8, augment=augment, seed=2, crop_px=crop_px)
    card = PatchesOnCard(*patches, CPU)
    for iteration in range(6):
        found = card.batch(draw_crops(patches[1], sampling, iteration), crop_px)
        expected = draw_batch(*patches, sampling, iteration)
        assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_oblong_patches_are_gathered_too(rng):
    patches = rng.random((2, 4, 5, 9)).astype(np.float32)
    sampling = Sampling(batch=3, augment=False, seed=2)
    found = PatchesOnCard(*patches, CPU).batch(draw_crops(patches[1], sampling, 0), None)
    expected = draw_batch(*patches, sampling, 0)
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize(("free", "fits"), [(1e4, False), (1e6, True)])
def test_patches_lie_on_a_gpu_that_has_room(monkeypatch, free, fits):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free, 1e9))
    assert PatchesOnCard.fit(*PATCHES, torch.device("cuda")) is fits
    assert not PatchesOnCard.fit(*PATCHES, CPU)
