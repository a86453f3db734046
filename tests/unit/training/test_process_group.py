"""Two processes that share a training, as two GPUs would."""

import multiprocessing
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import group_work
import numpy as np
import pandas as pd
import pytest
import torch
from group_work import (
    A_CARD,
    die_in_the_second,
    fail_in_the_first,
    refuse_in_both,
    refuse_in_the_second,
    train_all,
)
from training_runs import PLAIN, against, changed, drawn_patches

import crossres
from crossres import jobs
from crossres.jobs import InputError, logger
from crossres.training import ProcessGroup, launch, launcher

pytestmark = pytest.mark.slow

SETTINGS = {
    "cnn": PLAIN,
    "gan": against(),
    "relativistic": against(kind="relativistic", warm_up_iterations=0),
    # its means run over the whole batch
    "average": against(changed(PLAIN, loss={"mae": 1, "ssim": 0.1}), kind="relativistic_average",
                       warm_up_iterations=0, shares={}),
}  # fmt: skip
TERMS = ["generator_loss", "mse", "discriminator_loss", "weight_mse"]


def of_the_second_process():
    """A patch that only the second process draws at first, and the iteration, from 1."""
    met = set()
    for iteration in range(PLAIN.iterations):
        batch = drawn_patches(PLAIN.batch, iteration)
        for patch in batch[1::2]:
            if patch not in met and iteration > 0:
                return patch, iteration + 1
        met |= set(batch)
    raise AssertionError("choose another seed")


BROKEN, FAILED = of_the_second_process()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("group")


def found_in(folder):
    """What train_all found, histories as tables again."""
    found = torch.load(folder / "found.pt", weights_only=True)
    return {**found, **{name: (found[name][0], pd.DataFrame(found[name][1])) for name in SETTINGS}}


@pytest.fixture(scope="module")
def alone(folder):
    own = folder / "alone"
    launch(1, train_all, "cpu", folder=own, settings=SETTINGS, broken=BROKEN)
    return found_in(own)


@pytest.fixture(scope="module")
def together(folder):
    """What two processes found, in a job with a log."""

    def step(**arguments):
        logger.info("before them")
        launch(2, train_all, device="cpu", **arguments)
        logger.info("after them")

    jobs.run(step, str(folder / "log"), folder=folder / "together", settings=SETTINGS,
             broken=BROKEN)  # fmt: skip
    return found_in(folder / "together")


def failure_of(work):
    """The error that two processes end with; none of them is left."""
    with pytest.raises((InputError, RuntimeError)) as fault:
        launch(2, work, device="cpu")
    assert multiprocessing.active_children() == []
    return fault.value


@pytest.mark.parametrize("name", SETTINGS)
def test_two_half_batches_train_to_the_weights_of_the_whole_one(alone, together, name):
    (expected, _), (found, _) = alone[name], together[name]
    assert found.keys() == expected.keys()
    for key, tensor in expected.items():
        np.testing.assert_allclose(found[key], tensor, rtol=1e-4, atol=1e-6, err_msg=key)


@pytest.mark.parametrize("name", SETTINGS)
def test_the_history_tells_of_the_whole_batch(alone, together, name):
    (_, expected), (_, found) = alone[name], together[name]
    assert found.kept.tolist() == expected.kept.tolist()
    assert list(found) == list(expected)
    for term in [term for term in TERMS if term in expected]:
        np.testing.assert_allclose(found[term], expected[term], rtol=1e-3, err_msg=term)


def test_means_and_the_least_are_over_both_processes(alone, together):
    assert alone["shared"] == [0.0, 0.0, 5]
    assert together["shared"] == [0.5, 0.5, 4]


@pytest.mark.parametrize("name", SETTINGS)
def test_only_the_first_process_writes(together, folder, name):
    assert [path.name for path in (folder / "together" / name).iterdir()] == ["rank_0"]


def test_a_number_lost_in_the_second_process_is_told_by_the_first(alone, together):
    assert f"iteration {FAILED} " in alone["broken"]
    assert f"iteration {FAILED} " in together["broken"]


def test_the_log_tells_what_the_first_process_says_and_it_alone(together, folder):
    lines = [line.split(maxsplit=2)[2] for line in (folder / "log").read_text().splitlines()]
    assert lines[0] == "before them"
    assert lines[-1] == "after them"
    assert [line for line in lines if "at work" in line] == ["process 0 is at work"]
    assert sum(line.startswith("training: 8 of 8") for line in lines) == len(SETTINGS)


def test_no_process_is_left(together):
    assert multiprocessing.active_children() == []


def test_a_refusal_in_the_second_process_is_told_while_the_first_waits_for_it():
    fault = failure_of(refuse_in_the_second)
    assert isinstance(fault, InputError)
    told, moment = str(fault).split(" at ")
    assert told == "the second was refused"
    # not the half hour that a process may wait for another
    assert time.monotonic() - float(moment) < 30


def test_where_all_are_refused_the_first_is_heard_and_a_gpu_unasked_for_changes_nothing(
    monkeypatch,
):
    pretend_cards(monkeypatch, 1)
    monkeypatch.setenv(A_CARD, "")
    fault = failure_of(refuse_in_both)
    assert isinstance(fault, InputError)
    assert str(fault) == "the first diverged, over gloo"


def test_a_fault_in_the_first_process_ends_a_second_that_hangs(monkeypatch):
    monkeypatch.setattr(launcher, "GRACE_S", 1.0)
    fault = failure_of(fail_in_the_first)
    assert isinstance(fault, RuntimeError)
    assert re.match(r"rank 0 of 2 processes .* failed:\nTraceback ", str(fault))
    assert str(fault).endswith("ValueError: a fault in the first process\n")


def test_a_process_that_is_killed_is_named():
    fault = failure_of(die_in_the_second)
    assert re.fullmatch(r"rank 1 of 2 .* exit code -9; it may .* for memory", str(fault))


def test_the_processes_end_when_their_launcher_is_killed(tmp_path):
    call = (
        "from crossres.training import launch; from group_work import say_so_and_hang; "
        "launch(2, say_so_and_hang, device='cpu')"
    )
    paths = [str(Path(module.__file__).parents[depth]) for module, depth in
             ((crossres, 1), (group_work, 0))]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", call], env=environment, stdout=subprocess.PIPE, text=True
    ) as caller:
        try:
            said = {caller.stdout.readline() for _ in range(2)}
        finally:
            caller.kill()
        # the end of what they write is the end of the last of them
        assert caller.communicate(timeout=60) == ("", None)
    assert said == {f"rank {rank} is at work\n" for rank in (0, 1)}


def test_one_process_alone_starts_no_other(alone):
    assert alone.keys() == {*SETTINGS, "broken", "shared", "device"}
    assert alone["device"] == "cpu"
    assert not torch.distributed.is_initialized()


def test_a_process_alone_shares_nothing():
    assert ProcessGroup() == ProcessGroup(0, 1)
    network = object()
    assert ProcessGroup().data_parallel(network) is network
    assert ProcessGroup().synchronise_batch_norm(network) is network


class OnCard(torch.nn.Sequential):
    """Batch normalisation that seems to lie on a GPU."""

    def parameters(self, recurse=True):
        return iter([SimpleNamespace(device=torch.device("cuda", 0))])


@pytest.mark.parametrize(
    ("network", "kind"),
    [(OnCard, torch.nn.SyncBatchNorm), (torch.nn.Sequential, torch.nn.BatchNorm2d)],
)
def test_processes_on_gpus_normalise_the_batch_of_all(network, kind):
    bare = network(torch.nn.BatchNorm2d(2))
    before, names = dict(bare.named_parameters()), list(bare.state_dict())
    found = ProcessGroup(0, 2).synchronise_batch_norm(bare)
    assert isinstance(found[0], kind)
    assert found is bare
    # so that an optimiser may hold them already
    assert all(weight is before[name] for name, weight in found.named_parameters())
    assert list(found.state_dict()) == names


@pytest.mark.parametrize(("cards", "instead"), [(0, 1), (1, 1), (2, 2)])
@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_fewer_gpus_than_processes_are_refused_before_any_is_started(
    monkeypatch, cards, instead, device
):
    pretend_cards(monkeypatch, cards)
    told = rf"gpus_per_training is 3, but torch sees {cards} GPUs; set it to {instead}, or device"
    with pytest.raises(InputError, match=told):
        launch(3, train_all, device=device)


def pretend_cards(monkeypatch, count):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
