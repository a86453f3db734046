"""A training that was killed, and what its side file gives back."""

import pytest
import torch
from training_runs import (
    ADVERSARIAL,
    BOTH,
    PLAIN,
    against,
    assert_same,
    changed,
    data_for,
    run,
    small_network,
)

ALL_AT_ONCE = changed(
    against(kind="relativistic"), schedule="halving", rate_warm_up_iterations=5, crop_px=16
)
SETTINGS = pytest.mark.parametrize(
    "settings",
    [PLAIN, ADVERSARIAL, ALL_AT_ONCE],
    ids=["plain", "adversarial", "crops, schedule, relativistic"],
)


@SETTINGS
@pytest.mark.parametrize("kill_at", [1, 3, 6])
def test_a_killed_training_goes_on_to_the_same_bits(
    data, settings, kill_at, whole, stepped, tmp_path
):
    expected = whole(settings)
    data = data_for(settings, data)
    stepped["iterations"].clear()
    stepped["kill_at"] = kill_at
    with pytest.raises(KeyboardInterrupt):
        run(data, settings, tmp_path / "killed")
    assert_same(run(data, settings, tmp_path / "killed"), expected)
    # what lies behind the last saved state was not done again
    saved = kill_at // 2 * 2
    assert stepped["iterations"] == [*range(kill_at), *range(saved, 8)]


@BOTH
def test_a_kill_while_saving_costs_only_the_time_since_the_state_before(
    data, settings, whole, monkeypatch, tmp_path
):
    expected = whole(settings)
    save, saved = torch.save, []

    def die_at_the_third(state, path):
        saved.append(state["iteration"])
        if len(saved) == 3:
            path.write_bytes(b"half a state")
            raise KeyboardInterrupt
        save(state, path)

    monkeypatch.setattr(torch, "save", die_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        run(data, settings, tmp_path / "killed")
    assert_same(run(data, settings, tmp_path / "killed"), expected)
    assert saved == [2, 4, 6, 6, 8]


@BOTH
def test_a_finished_training_is_not_done_again(data, settings, stepped, tmp_path):
    expected = run(data, settings, tmp_path)
    stepped["iterations"].clear()
    assert_same(run(data, settings, tmp_path), expected)
    assert stepped["iterations"] == []


def test_weights_come_from_the_state_and_not_from_the_network_given(data, whole, stepped, tmp_path):
    expected = whole(PLAIN)
    stepped["kill_at"] = 5
    with pytest.raises(KeyboardInterrupt):
        run(data, PLAIN, tmp_path / "killed")
    assert_same(run(data, PLAIN, tmp_path / "killed", network=small_network(99)), expected)


@BOTH
def test_a_state_of_another_stamp_is_refused(data, settings, whole, stepped, tmp_path):
    expected = whole(settings)
    run(data, settings, tmp_path / "old", stamp="old", seed=5)
    stepped["iterations"].clear()
    assert_same(run(data, settings, tmp_path / "old", stamp="new"), expected)
    assert stepped["iterations"] == list(range(8))


@BOTH
@pytest.mark.parametrize("part", [0.1, 0.9])
def test_a_truncated_state_is_refused_and_training_begins_anew(
    data, settings, whole, stepped, tmp_path, part
):
    expected = whole(settings)
    run(data, changed(settings, iterations=4), tmp_path)
    path = tmp_path / "training_state.pt"
    state = path.read_bytes()
    path.write_bytes(state[: int(part * len(state))])
    stepped["iterations"].clear()
    assert_same(run(data, settings, tmp_path), expected)
    assert stepped["iterations"] == list(range(8))


def test_what_is_resumed_is_said_in_the_log(data, stepped, caplog, tmp_path):
    caplog.set_level("INFO", logger="crossres")
    stepped["kill_at"] = 5
    with pytest.raises(KeyboardInterrupt):
        run(data, PLAIN, tmp_path)
    assert "resuming" not in caplog.text
    run(data, PLAIN, tmp_path)
    assert "resuming at iteration 4 of 8" in caplog.text
    # what was done before counts as done
    assert "training: 8 of 8, 0 s left" in caplog.text
