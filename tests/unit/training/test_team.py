"""Two processes that share a training, as two GPUs would."""

import multiprocessing
import time
from datetime import timedelta

import numpy as np
import pytest
import torch
from team_work import train_all, train_all_and_fail
from training_runs import PLAIN, against, drawn_patches

from crossres.jobs import InputError
from crossres.training import Team, run_team, team

SETTINGS = {
    "cnn": PLAIN,
    "gan": against(),
    "relativistic": against(kind="relativistic", warm_up_iterations=0),
    # its means run over the whole batch
    "average": against({**PLAIN, "loss": {"mae": 1, "ssim": 0.1}}, kind="relativistic_average",
                       warm_up_iterations=0, shares={}),
}  # fmt: skip
TERMS = ["generator_loss", "mse", "discriminator_loss", "weight_mse"]


def of_the_second_process():
    """A patch that only the second process draws at first, and the iteration, from 1."""
    met = set()
    for iteration in range(PLAIN["iterations"]):
        batch = drawn_patches(PLAIN["batch"], iteration)
        for patch in batch[1::2]:
            if patch not in met and iteration > 0:
                return patch, iteration + 1
        met |= set(batch)
    raise AssertionError("choose another seed")


BROKEN, FAILED = of_the_second_process()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("team")


@pytest.fixture(scope="module")
def alone(folder):
    return run_team(1, train_all, folder=folder / "alone", settings=SETTINGS, broken=BROKEN)


@pytest.fixture(scope="module")
def failed(folder):
    """What two processes found until the first of them failed, how it failed, and in what time."""
    found = {}
    with pytest.MonkeyPatch.context() as patch, pytest.raises(ValueError) as fault:
        # should one be left waiting for the other
        patch.setattr(team, "PATIENCE", timedelta(minutes=2))
        run_team(2, train_all_and_fail, found=found, folder=folder / "together",
                 settings=SETTINGS, broken=BROKEN)  # fmt: skip
    return found, fault.value, time.monotonic() - found["failed"]


@pytest.fixture(scope="module")
def together(failed):
    return failed[0]


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


def test_a_fault_in_the_first_process_ends_both_and_is_told(failed):
    _, fault, took_s = failed
    assert str(fault) == "a fault in the first process"
    # not the two hours that a process may wait for another
    assert took_s < 60
    assert multiprocessing.active_children() == []


def test_one_process_alone_starts_no_other(alone):
    assert alone.keys() == {*SETTINGS, "broken", "shared"}
    assert not torch.distributed.is_initialized()


def test_a_process_alone_shares_nothing():
    assert Team() == Team(0, 1)
    network = object()
    assert Team().wrap(network) is network


def test_fewer_gpus_than_processes_are_refused_before_any_is_started(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(InputError, match=r"gpus_per_training is 3, but torch sees 2 GPUs"):
        run_team(3, train_all, device="auto")
