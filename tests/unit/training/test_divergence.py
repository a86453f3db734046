"""A training that leaves the finite numbers, or all measure."""

import pytest
import torch
from training_runs import (
    BOTH,
    PLAIN,
    against,
    assert_same_weights,
    changed,
    drawn_patches,
    poisoned,
    run,
    score_by,
    small_network,
)

from crossres.jobs import InputError
from crossres.training import Diverged, loop

ADVICE = ["lower learning_rate than 0.001", "rate_warm_up_iterations"]
BROKEN = 3
"""The patch that is not a number."""


def first_that_draws_it(settings):
    """The iteration, from 1, whose batch is the first with the broken patch in it."""
    return 1 + next(i for i in range(24) if BROKEN in drawn_patches(settings.batch, i))


@BOTH
@pytest.mark.parametrize("part", ["train_inputs", "train_targets"])
def test_nan_stops_the_training_and_names_its_iteration(data, settings, part, tmp_path):
    with pytest.raises(Diverged) as fault:
        run(poisoned(data, part), settings, tmp_path)
    message = str(fault.value)
    for words in ("iteration 1 ", "no model had been validated yet", *ADVICE, "float32"):
        assert words in message
    assert fault.value.weights == {}


def test_the_iteration_is_exact_although_it_is_looked_at_late(data, stepped, tmp_path):
    settings = changed(PLAIN, batch=1, iterations=100, validate_every=50)
    failed = first_that_draws_it(settings)
    assert failed > 2
    with pytest.raises(Diverged, match=f"iteration {failed} "):
        run(poisoned(data, patches=BROKEN), settings, tmp_path)
    # it is looked at once in a while, as each look makes a GPU wait
    assert stepped["iterations"][-1] + 1 == loop.CHECK_EVERY


def test_what_the_losses_and_shares_were_just_before_is_said(data, tmp_path):
    settings = changed(against(warm_up_iterations=0), batch=1, iterations=100, validate_every=50)
    with pytest.raises(Diverged) as fault:
        run(poisoned(data, patches=BROKEN), settings, tmp_path)
    for name in ("generator_loss", "mse_share", "adversarial_share", "discriminator_loss"):
        assert f"{name} " in str(fault.value)
    assert "nan" not in str(fault.value).split("(just before: ")[1].split(")")[0]


def test_the_best_model_until_then_is_carried_and_named(data, tmp_path, monkeypatch):
    settings = changed(PLAIN, batch=1, iterations=100, validate_every=1)
    failed = first_that_draws_it(settings)
    # the second of all is the best
    score_by(monkeypatch, [9.0, 5.0, 1.0, *[3.0] * 100])
    with pytest.raises(Diverged, match="of iteration 2, is kept") as fault:
        run(poisoned(data, patches=BROKEN), settings, tmp_path / "broken")
    assert failed > 2
    score_by(monkeypatch, [9.0, 5.0, 1.0])
    until_then, _ = run(data, changed(settings, iterations=2), tmp_path / "whole")
    assert_same_weights(fault.value.weights, until_then)


def test_the_side_file_keeps_the_last_good_state(data, tmp_path):
    settings = changed(PLAIN, batch=1, iterations=100, validate_every=1)
    failed = first_that_draws_it(settings)
    with pytest.raises(Diverged):
        run(poisoned(data, patches=BROKEN), settings, tmp_path)
    state = torch.load(tmp_path / "training_state.pt", weights_only=True)
    assert state["iteration"] == failed - 1
    assert all(torch.isfinite(weights).all() for weights in state["generator"].values())


def test_a_rate_far_too_high_ends_as_a_divergence_with_the_rate_named(data, tmp_path):
    # Adam's steps are as long as the rate
    with pytest.raises(Diverged, match=r"lower learning_rate than 1e\+08"):
        run(data, changed(PLAIN, learning_rate=1e8, validate_every=1), tmp_path)


def test_a_validation_that_goes_astray_ends_the_training(data, monkeypatch, tmp_path):
    score_by(monkeypatch, [1.0] * 2, [1.0, 101.0])
    with pytest.raises(Diverged) as fault:
        run(data, PLAIN, tmp_path)
    message = str(fault.value)
    for words in ("before iteration 2", "101 times the variance of the targets", "mse ", *ADVICE):
        assert words in message


def test_the_best_before_it_went_astray_is_carried(data, monkeypatch, tmp_path):
    score_by(monkeypatch, [1.0] * 5, [1.0, 1.0, 1.0, 1e9])
    with pytest.raises(Diverged, match=r"before iteration 6.*of iteration 2, is kept") as fault:
        run(data, PLAIN, tmp_path)
    assert fault.value.weights.keys() == small_network().state_dict().keys()


def test_a_validation_that_is_not_a_number_ends_the_training(data, monkeypatch, tmp_path):
    score_by(monkeypatch, [1.0] * 2, [1.0, float("nan")])
    with pytest.raises(Diverged, match="nan times the variance"):
        run(data, PLAIN, tmp_path)


def test_a_bad_beginning_is_no_divergence(data, monkeypatch, tmp_path):
    # what a network gives before its first step is not the training's fault
    score_by(monkeypatch, [1.0] * 5, [1e6, 1.0, 1.0, 1.0, 1.0])
    _, history = run(data, PLAIN, tmp_path)
    assert history.iteration.iloc[-1] == 8


def test_a_divergence_is_told_as_one_sentence_to_the_user():
    assert issubclass(Diverged, InputError)
    assert "\n" not in str(Diverged("a sentence", {}))


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        MemoryError(),
    ],
)
def test_a_batch_that_does_not_fit_ends_clearly_and_goes_on_from_what_is_saved(
    data, error, monkeypatch, tmp_path
):
    step = loop._Run.step

    def full_at_6(training, x, y):
        if training.iteration == 5:
            raise error
        step(training, x, y)

    with monkeypatch.context() as patch, pytest.raises(InputError) as fault:
        patch.setattr(loop._Run, "step", full_at_6)
        run(data, PLAIN, tmp_path)
    message = str(fault.value)
    for words in (
        "batch of 4 patches of 16 x 16 px",
        "lower batch",
        "gpus_per_training",
        "the state of iteration 4 is kept",
    ):
        assert words in message
    run(data, PLAIN, tmp_path)


def test_a_gpu_that_fails_ends_clearly_and_goes_on_from_what_is_saved(data, monkeypatch, tmp_path):
    step = loop._Run.step

    def lost_at_6(training, x, y):
        if training.iteration == 5:
            raise RuntimeError("CUDA error: an illegal instruction was encountered\nCompile with")
        step(training, x, y)

    with monkeypatch.context() as patch, pytest.raises(InputError) as fault:
        patch.setattr(loop._Run, "step", lost_at_6)
        run(data, PLAIN, tmp_path)
    message = str(fault.value)
    assert "the GPU failed at iteration 5 (an illegal instruction was encountered)" in message
    assert "the state of iteration 4 is kept" in message
    assert "\n" not in message
    run(data, PLAIN, tmp_path)


def test_another_fault_in_a_step_is_not_taken_for_want_of_memory(data, monkeypatch, tmp_path):
    def broken(*_):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(loop._Run, "step", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        run(data, PLAIN, tmp_path)
