import math

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.ndimage import gaussian_filter

from crossres.jobs import InputError
from crossres.networks import build
from crossres.training import TrainingData, loop, train

PLAIN = {"iterations": 8, "batch": 4, "learning_rate": 1e-3, "schedule": "constant",
         "augment": True, "validate_every": 2}  # fmt: skip
ADVERSARIAL = {
    **PLAIN,
    "adversarial": {"learning_rate": 1e-3, "width": 2, "downsample": True,
                    "warm_up_iterations": 3, "mse_share": 0.5, "ssim_share": 0.1},
}  # fmt: skip
BOTH = pytest.mark.parametrize("settings", [PLAIN, ADVERSARIAL], ids=["plain", "adversarial"])


@pytest.fixture(scope="module")
def data():
    noise = np.random.default_rng(0).normal(size=(14, 16, 16))
    targets = gaussian_filter(noise, (0, 1, 1), mode="wrap").astype(np.float32)
    inputs = gaussian_filter(targets, (0, 1.5, 1.5), mode="wrap")
    return TrainingData(inputs[:10], targets[:10], inputs[10:], targets[10:])


@pytest.fixture
def drawn(monkeypatch):
    """Iterations that were worked on, and a place to ask for a kill at one of them."""
    record = {"iterations": [], "kill_at": None}
    draw = loop.draw_batch

    def draw_or_die(*arguments):
        if arguments[-1] == record["kill_at"]:
            record["kill_at"] = None
            raise KeyboardInterrupt
        record["iterations"].append(arguments[-1])
        return draw(*arguments)

    monkeypatch.setattr(loop, "draw_batch", draw_or_die)
    return record


def run(data, settings, folder, stamp="stamp", seed=0):
    torch.manual_seed(seed)
    network = build("gan", width=2)
    path = folder / "training_state.pt"
    return train(network, data, settings, seed, torch.device("cpu"), path, stamp)


def judge_by(monkeypatch, scores):
    """Let the validations give these scores, one after the other."""
    given = iter(scores)
    monkeypatch.setattr(
        loop, "validate", lambda *_: {"validation_mse": 1.0, "validation_score": next(given)}
    )


def assert_same(found, expected):
    weights, history = found
    assert weights.keys() == expected[0].keys()
    for name, tensor in weights.items():
        assert torch.equal(tensor, expected[0][name]), name
    pd.testing.assert_frame_equal(history, expected[1], check_exact=True)


@BOTH
@pytest.mark.parametrize("kill_at", [1, 3, 6, 7])
def test_a_killed_training_goes_on_to_the_same_bits(data, settings, kill_at, drawn, tmp_path):
    expected = run(data, settings, tmp_path / "whole")
    drawn["iterations"].clear()
    drawn["kill_at"] = kill_at
    with pytest.raises(KeyboardInterrupt):
        run(data, settings, tmp_path / "killed")
    assert_same(run(data, settings, tmp_path / "killed"), expected)
    # what lies behind the last saved state was not done again
    saved = kill_at // 2 * 2
    assert drawn["iterations"] == [*range(kill_at), *range(saved, 8)]


@BOTH
def test_a_kill_while_saving_costs_only_the_time_since_the_state_before(
    data, settings, monkeypatch, tmp_path
):
    expected = run(data, settings, tmp_path / "whole")
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
def test_a_finished_training_is_not_done_again(data, settings, drawn, tmp_path):
    expected = run(data, settings, tmp_path)
    drawn["iterations"].clear()
    assert_same(run(data, settings, tmp_path), expected)
    assert drawn["iterations"] == []


@BOTH
def test_a_state_of_another_stamp_is_refused(data, settings, drawn, tmp_path):
    expected = run(data, settings, tmp_path / "fresh", stamp="new")
    run(data, settings, tmp_path / "old", stamp="old", seed=5)
    drawn["iterations"].clear()
    assert_same(run(data, settings, tmp_path / "old", stamp="new"), expected)
    assert drawn["iterations"] == list(range(8))


@BOTH
@pytest.mark.parametrize("part", [0.1, 0.9])
def test_a_truncated_state_is_refused_and_training_begins_anew(
    data, settings, drawn, tmp_path, part
):
    expected = run(data, settings, tmp_path)
    path = tmp_path / "training_state.pt"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    drawn["iterations"].clear()
    assert_same(run(data, settings, tmp_path), expected)
    assert drawn["iterations"] == list(range(8))


@BOTH
def test_the_same_seed_gives_the_same_bits_and_another_does_not(data, settings, tmp_path):
    first = run(data, settings, tmp_path / "a", seed=1)
    assert_same(run(data, settings, tmp_path / "b", seed=1), first)
    other = run(data, settings, tmp_path / "c", seed=2)
    assert not torch.equal(other[0]["last.weight"], first[0]["last.weight"])


@pytest.mark.parametrize("warm_up", [0, 1, 2, 3, 4, 6])
def test_weights_of_the_warm_up_are_never_kept(data, warm_up, monkeypatch, tmp_path):
    # the earlier the better: the first candidate is kept
    judge_by(monkeypatch, [1.0, 2.0, 3.0, 4.0])
    adversarial = {**ADVERSARIAL["adversarial"], "warm_up_iterations": warm_up}
    _, history = run(data, {**ADVERSARIAL, "adversarial": adversarial}, tmp_path)
    first_beyond = next(i for i in (2, 4, 6, 8) if i > warm_up)
    assert history.iteration[history.kept].tolist() == [first_beyond]


@BOTH
def test_weights_of_the_best_score_are_returned(data, settings, monkeypatch, tmp_path):
    judge_by(monkeypatch, [9.0, 8.0, 1.0, 5.0])
    weights, history = run(data, settings, tmp_path / "best")
    assert history.iteration[history.kept].tolist() == [6]
    # batches and rates do not depend on the number of iterations: six of eight are six of six
    judge_by(monkeypatch, [9.0, 8.0, 1.0])
    shorter, _ = run(data, {**settings, "iterations": 6}, tmp_path / "shorter")
    for name, tensor in weights.items():
        assert torch.equal(tensor, shorter[name]), name


def test_a_score_that_is_not_a_number_is_never_the_best(data, monkeypatch, tmp_path):
    judge_by(monkeypatch, [math.nan, 3.0, math.nan, 4.0])
    _, history = run(data, PLAIN, tmp_path)
    assert history.iteration[history.kept].tolist() == [4]


@BOTH
def test_history_has_a_row_per_validation_and_the_last_iteration(data, settings, tmp_path):
    _, history = run(data, {**settings, "iterations": 7, "validate_every": 3}, tmp_path)
    assert history.iteration.tolist() == [3, 6, 7]
    assert history.kept.sum() == 1


@BOTH
@pytest.mark.parametrize("part", ["train_inputs", "train_targets"])
def test_nan_stops_the_training_at_its_iteration(data, settings, part, tmp_path):
    broken = {**data.__dict__, part: np.full_like(data.train_inputs, np.nan)}
    with pytest.raises(InputError) as fault:
        run(TrainingData(**broken), settings, tmp_path)
    assert "iteration 0" in str(fault.value)
    assert "learning_rate" in str(fault.value)


def test_nan_leaves_the_state_before_it(data, drawn, tmp_path):
    # Adam's steps are as long as the rate: from some iteration on the squares overflow
    wild = {**PLAIN, "learning_rate": 1e8, "validate_every": 1}
    with pytest.raises(InputError, match=r"iteration \d+ .* than 1e\+08"):
        run(data, wild, tmp_path)
    failed = drawn["iterations"][-1]
    assert failed > 0
    assert torch.load(tmp_path / "training_state.pt", weights_only=True)["iteration"] == failed


def test_training_learns(data, tmp_path):
    settings = {**PLAIN, "iterations": 60, "validate_every": 60, "learning_rate": 3e-3}
    _, history = run(data, settings, tmp_path)
    # a network that says nothing is off by the targets' mean square
    assert history.validation_mse.iloc[-1] < 0.8 * np.mean(data.validation_targets**2)


@pytest.mark.parametrize(("mse_share", "ssim_share"), [(0.05, 0.0), (0.1, 0.03), (0.9, 0.0)])
def test_logged_shares_are_those_configured(data, mse_share, ssim_share, tmp_path):
    # all patches at a rate that moves nothing: every iteration has the same terms
    adversarial = {**ADVERSARIAL["adversarial"], "learning_rate": 1e-20, "warm_up_iterations": 0,
                   "mse_share": mse_share, "ssim_share": ssim_share}  # fmt: skip
    still = {**ADVERSARIAL, "batch": 10, "augment": False, "learning_rate": 1e-20,
             "iterations": 4, "adversarial": adversarial}  # fmt: skip
    _, history = run(data, still, tmp_path)
    shares = history.filter(like="_share")
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-5)
    # a share s of the loss beside a blind discriminator, whose term is ln 2
    blind = math.log(2) / (1 - mse_share - ssim_share)
    np.testing.assert_allclose(
        history.mse_share * history.generator_loss, mse_share * blind, rtol=1e-3
    )
    np.testing.assert_allclose(history.lambda_mse * history.mse, mse_share * blind, rtol=1e-3)
    if ssim_share:
        np.testing.assert_allclose(
            history.ssim_share * history.generator_loss, ssim_share * blind, rtol=1e-3
        )


def test_terms_that_join_in_late_are_averaged_from_there_on(data, tmp_path):
    # one of four iterations has met the discriminator, and nothing moves
    adversarial = {**ADVERSARIAL["adversarial"], "learning_rate": 1e-20, "warm_up_iterations": 3}
    still = {**ADVERSARIAL, "batch": 10, "augment": False, "learning_rate": 1e-20,
             "iterations": 8, "validate_every": 4, "adversarial": adversarial}  # fmt: skip
    _, history = run(data, still, tmp_path)
    for name in ("discriminator_loss", "lambda_mse", "adversarial_share"):
        assert history[name][0] == pytest.approx(history[name][1], rel=1e-3)


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_learning_rate_follows_its_schedule(data, schedule, monkeypatch, tmp_path):
    rates, step = [], torch.optim.Adam.step

    def note(self, *arguments, **keywords):
        rates.append(self.param_groups[0]["lr"])
        return step(self, *arguments, **keywords)

    monkeypatch.setattr(torch.optim.Adam, "step", note)
    run(data, {**PLAIN, "schedule": schedule}, tmp_path)
    half_turn = np.pi * np.arange(8) / 8
    expected = 1e-3 * (0.5 * (1 + np.cos(half_turn)) if schedule == "cosine" else np.ones(8))
    np.testing.assert_allclose(rates, expected)


def test_generator_and_discriminator_are_updated_once_an_iteration(data, monkeypatch, tmp_path):
    updated, step = [], torch.optim.Adam.step

    def note(self, *arguments, **keywords):
        updated.append(sum(p.numel() for p in self.param_groups[0]["params"]))
        return step(self, *arguments, **keywords)

    monkeypatch.setattr(torch.optim.Adam, "step", note)
    run(data, ADVERSARIAL, tmp_path)
    generator = sum(p.numel() for p in build("gan", width=2).parameters())
    # 8 iterations, 3 of them warm-up
    assert updated.count(generator) == 8
    assert len(updated) == 8 + 5
    assert updated[:3] == [generator] * 3
