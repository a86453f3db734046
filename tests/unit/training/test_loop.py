"""What one training does from its first iteration to its last."""

import math

import numpy as np
import pytest
import torch
from training_runs import (
    ADVERSARIAL,
    BOTH,
    CPU,
    PLAIN,
    against,
    assert_same,
    assert_same_weights,
    changed,
    make_data,
    run,
    score_by,
    small_network,
)

from crossres.training import Foreground, TrainingData, loop
from crossres.training.selection import Validation

GENERATOR = sum(p.numel() for p in small_network().parameters())


@BOTH
def test_the_same_seed_gives_the_same_bits_and_another_does_not(data, settings, tmp_path):
    first = run(data, settings, tmp_path / "a", seed=1)
    assert_same(run(data, settings, tmp_path / "b", seed=1), first)
    other = run(data, settings, tmp_path / "c", seed=2)
    assert not torch.equal(other[0]["last.weight"], first[0]["last.weight"])


@BOTH
def test_the_network_is_validated_before_its_first_step(data, settings, tmp_path):
    fields = data.validation_inputs, data.validation_targets
    validation = Validation(*fields, settings.loss, settings.adversarial is not None, CPU)
    wanted = validation.scores(small_network())
    _, history = run(data, settings, tmp_path)
    first = history.iloc[0]
    assert first.iteration == 0
    assert {key: first[key] for key in wanted} == pytest.approx(wanted, rel=1e-5)
    assert math.isnan(first.generator_loss)


@BOTH
def test_history_has_a_row_per_validation_and_the_last_iteration(data, settings, tmp_path):
    _, history = run(data, changed(settings, iterations=7, validate_every=3), tmp_path)
    assert history.iteration.tolist() == [0, 3, 6, 7]
    assert history.kept.sum() == 1


@BOTH
def test_a_freshly_built_network_is_never_kept(data, settings, monkeypatch, tmp_path):
    score_by(monkeypatch, [0.0, 2.0, 2.0, 2.0, 1.0])
    _, history = run(data, settings, tmp_path)
    assert history.iteration[history.kept].tolist() == [8]


@BOTH
def test_weights_of_the_best_score_are_returned(data, settings, monkeypatch, tmp_path):
    score_by(monkeypatch, [9.0, 9.0, 8.0, 1.0, 5.0])
    weights, history = run(data, settings, tmp_path / "best")
    assert history.iteration[history.kept].tolist() == [6]
    # batches and rates do not depend on the number of iterations: six of eight are six of six
    score_by(monkeypatch, [9.0, 9.0, 8.0, 1.0])
    shorter, _ = run(data, changed(settings, iterations=6), tmp_path / "shorter")
    assert_same_weights(weights, shorter)


def test_a_score_that_is_not_a_number_is_never_the_best(data, monkeypatch, tmp_path):
    score_by(monkeypatch, [1.0, math.nan, 3.0, math.nan, 4.0])
    _, history = run(data, PLAIN, tmp_path)
    assert history.iteration[history.kept].tolist() == [4]


@pytest.mark.parametrize("loss", [{"mae": 1}, {"mse": 1, "ssim": 0.1}])
def test_training_learns(data, loss, tmp_path):
    settings = changed(PLAIN, loss=loss, iterations=40, validate_every=40, learning_rate=5e-3)
    _, history = run(data, settings, tmp_path)
    # a network that says nothing is off by the targets' mean square
    nothing = np.mean(np.square(data.validation_targets))
    assert history.validation_mse.iloc[-1] < 0.8 * nothing


def test_the_loss_is_the_sum_of_its_weighted_terms(data, tmp_path):
    settings = changed(PLAIN, loss={"mse": 2, "mae": 0.5, "ssim": 0}, learning_rate=1e-20)
    _, history = run(data, settings, tmp_path)
    row = history.iloc[-1]
    assert row.generator_loss == pytest.approx(2 * row.mse + 0.5 * row.mae, rel=1e-5)
    assert row.mse_share + row.mae_share == pytest.approx(1, rel=1e-5)
    # what has no weight is still told
    assert 0 < row.ssim < 2
    assert "ssim_share" not in row


def test_crops_are_what_is_trained_on(tmp_path, monkeypatch):
    seen, step = [], loop._Run.step

    def note(run, x, y):
        seen.append((x.shape, y.shape))
        step(run, x, y)

    monkeypatch.setattr(loop._Run, "step", note)
    run(make_data(side_px=20), changed(PLAIN, crop_px=16), tmp_path)
    assert set(seen) == {((4, 1, 16, 16), (4, 1, 16, 16))}


def test_crops_show_the_foreground_that_is_asked_for(tmp_path, monkeypatch):
    data = make_data(side_px=22)
    dark = np.zeros_like(data.train_targets)
    dark[:, 6:, 6:] = 1.0
    bright = TrainingData(data.train_inputs, dark, data.validation_inputs, data.validation_targets)
    shares, step = [], loop._Run.step

    def note(run, x, y):
        shares.append((y > 0.5).float().mean().item())
        step(run, x, y)

    monkeypatch.setattr(loop._Run, "step", note)
    crops = changed(PLAIN, crop_px=16, iterations=6)
    run(bright, crops, tmp_path / "all")
    usual = np.mean(shares)
    shares.clear()
    # a crop from the corner 6 px further shows nothing else
    run(bright, crops, tmp_path / "bright", foreground=Foreground(0.5, 1.0))
    assert usual < 0.75
    assert np.mean(shares) > 0.8


@pytest.mark.parametrize("schedule", ["constant", "cosine", "halving"])
@pytest.mark.parametrize("warm_up", [0, 4])
def test_learning_rate_follows_its_schedule(data, schedule, warm_up, adam_steps, tmp_path):
    settings = changed(PLAIN, schedule=schedule, halvings=1, rate_warm_up_iterations=warm_up)
    run(data, settings, tmp_path)
    expected = {
        "constant": np.ones(8),
        "cosine": 0.5 * (1 + np.cos(np.pi * np.arange(8) / 8)),
        "halving": np.repeat([1.0, 0.5], 4),
    }[schedule]
    if warm_up:
        expected[:4] *= [0.25, 0.5, 0.75, 1.0]
    np.testing.assert_allclose([rate for _, rate in adam_steps], 1e-3 * expected)


def test_the_moments_of_adam_are_those_configured(data, tmp_path, monkeypatch):
    found, step = [], torch.optim.Adam.step

    def note(self, *arguments, **keywords):
        found.append(self.param_groups[0]["betas"])
        return step(self, *arguments, **keywords)

    monkeypatch.setattr(torch.optim.Adam, "step", note)
    run(data, changed(ADVERSARIAL, betas=[0.5, 0.9]), tmp_path)
    assert set(found) == {(0.5, 0.9)}


def test_generator_and_discriminator_are_updated_once_an_iteration(data, adam_steps, tmp_path):
    run(data, ADVERSARIAL, tmp_path)
    updated = [weights for weights, _ in adam_steps]
    # 8 iterations, 3 of them warm-up
    assert updated.count(GENERATOR) == 8
    assert len(updated) == 8 + 5
    assert updated[:3] == [GENERATOR] * 3
    assert updated[3] == GENERATOR


def test_the_discriminators_rate_follows_the_same_schedule(data, adam_steps, tmp_path):
    settings = changed(
        against(learning_rate=4e-3, warm_up_iterations=0), schedule="halving", halvings=1
    )
    run(data, settings, tmp_path)
    rates = [rate for weights, rate in adam_steps if weights != GENERATOR]
    assert rates == [4e-3] * 4 + [2e-3] * 4


def test_volumes_are_trained_on(tmp_path):
    rng = np.random.default_rng(0)
    inputs, targets = rng.random((2, 6, 3, 12, 12)).astype(np.float32)
    fields = [list(images[4:]) for images in (inputs, targets)]
    network = torch.nn.Conv3d(1, 1, 3, padding=1)
    _, history = run(
        TrainingData(inputs[:4], targets[:4], *fields),
        changed(PLAIN, loss={"mae": 1, "ssim": 0.1}),
        tmp_path,
        network=network,
    )
    assert history.iteration.tolist() == [0, 2, 4, 6, 8]
