"""What a discriminator adds to a training."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from training_runs import (
    ADVERSARIAL,
    BALANCED,
    PLAIN,
    against,
    assert_same_weights,
    changed,
    run,
    score_by,
    small_network,
)

from crossres.catalogue.adversarial import Joining
from crossres.networks.slices import SliceBySlice
from crossres.training import ProcessGroup, TrainingData, loop
from crossres.training.adversary import Adversary
from crossres.training.balance import HIGHEST, GradientBalance
from crossres.training.step import Step

STILL = changed(PLAIN, batch=10, augment=False, learning_rate=1e-20, iterations=4)
"""All patches at a rate that moves nothing: every iteration has the same terms."""
STILL_TOO = {"learning_rate": 1e-20, "warm_up_iterations": 0}
KINDS = ["standard", "relativistic", "relativistic_average"]
BLIND = {
    "standard": 2 * math.log(2),
    "relativistic": math.log(2),
    "relativistic_average": math.log(2),
}


@pytest.mark.parametrize("warm_up", [0, 2, 3, 6])
def test_weights_of_the_warm_up_are_never_kept(data, warm_up, monkeypatch, tmp_path):
    # the earlier the better: the first candidate is kept
    score_by(monkeypatch, [0.0, 1.0, 2.0, 3.0, 4.0])
    _, history = run(data, against(warm_up_iterations=warm_up), tmp_path)
    first_beyond = next(i for i in (2, 4, 6, 8) if i > warm_up)
    assert history.iteration[history.kept].tolist() == [first_beyond]


@pytest.mark.parametrize(
    "shares",
    [{"mse": 0.05}, {"mse": 0.1, "log_ssim": 0.03}, {"mae": 0.9}, {"mae": 0.1, "ssim": 0.2}],
)
def test_logged_shares_are_those_configured(data, shares, tmp_path):
    _, history = run(data, against(STILL, **STILL_TOO, shares=shares), tmp_path)
    trained = history[history.iteration > 0]
    np.testing.assert_allclose(trained.filter(like="_share").sum(axis=1), 1.0, rtol=1e-5)
    # a share s of the loss beside a blind discriminator, whose term is ln 2
    blind = math.log(2) / (1 - sum(shares.values()))
    for name, share in shares.items():
        part = trained[f"{name}_share"] * trained.generator_loss
        np.testing.assert_allclose(part, share * blind, rtol=1e-3)
        np.testing.assert_allclose(trained[f"weight_{name}"] * trained[name], part, rtol=1e-3)
    assert set(trained.filter(regex="^weight_").columns) == {f"weight_{name}" for name in shares}


def test_without_shares_the_weights_of_the_loss_hold(data, tmp_path):
    # Huang 2023, eq. 11: the terms are summed as they are
    settings = against(
        changed(STILL, loss={"mse": 1, "ssim": 0.5}), **STILL_TOO, shares={}, weight=2
    )
    _, history = run(data, settings, tmp_path)
    row = history.iloc[-1]
    # the term itself is not logged: what is left is the discriminator's
    term = row.generator_loss - row.mse - 0.5 * row.ssim
    assert row.adversarial_share * row.generator_loss == pytest.approx(term, rel=1e-4)
    assert row.adversarial_share + row.mse_share + row.ssim_share == pytest.approx(1, rel=1e-5)
    # fresh, it says nearly the same of all
    assert term == pytest.approx(2 * math.log(2), rel=0.05)


def test_before_the_discriminator_joins_in_the_loss_holds_alone(data, tmp_path):
    settings = against(changed(STILL, loss={"mae": 3}), learning_rate=1e-20, warm_up_iterations=2)
    _, history = run(data, settings, tmp_path)
    warm = history[history.iteration == 2].iloc[0]
    assert warm.generator_loss == pytest.approx(3 * warm.mae, rel=1e-5)
    assert warm.mae_share == pytest.approx(1, rel=1e-5)
    assert math.isnan(warm.adversarial_share)
    assert math.isnan(warm.discriminator_loss)


def test_terms_that_join_in_late_are_averaged_from_there_on(data, tmp_path):
    # one of four iterations has met the discriminator, and nothing moves
    settings = against(STILL, learning_rate=1e-20, warm_up_iterations=3)
    settings = changed(settings, iterations=8, validate_every=4)
    _, history = run(data, settings, tmp_path)
    for name in ("discriminator_loss", "weight_mse", "adversarial_share"):
        assert history[name][1] == pytest.approx(history[name][2], rel=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_history_says_what_a_discriminator_loses_that_cannot_tell(data, kind, tmp_path):
    _, history = run(data, against(STILL, **STILL_TOO, kind=kind), tmp_path)
    assert history.discriminator_equilibrium.tolist() == pytest.approx([BLIND[kind]] * 3)
    # fresh, it can hardly tell
    assert history.discriminator_loss.iloc[-1] == pytest.approx(BLIND[kind], rel=0.1)


def test_without_a_discriminator_nothing_is_said_of_one(data, tmp_path):
    _, history = run(data, PLAIN, tmp_path)
    assert not [column for column in history if "discriminator" in column]


@pytest.mark.parametrize("kind", KINDS)
def test_a_discriminator_of_either_kind_learns_to_tell(data, kind, tmp_path):
    # the generator stands still, far from the targets
    settings = against(
        changed(STILL, iterations=20, validate_every=10),
        kind=kind,
        width=4,
        learning_rate=3e-3,
        warm_up_iterations=0,
    )
    _, history = run(data, settings, tmp_path)
    assert history.discriminator_loss.iloc[-1] < 0.7 * BLIND[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_the_generator_follows_a_discriminator_that_stands_still(data, kind, tmp_path):
    settings = against(
        changed(STILL, iterations=12, validate_every=4, learning_rate=1e-3),
        **STILL_TOO,
        kind=kind,
        shares={"mse": 1e-3},
    )
    _, history = run(data, settings, tmp_path)
    term = (history.adversarial_share * history.generator_loss)[1:].tolist()
    assert term == sorted(term, reverse=True)


@pytest.mark.parametrize("kind", KINDS)
def test_the_discriminator_sees_every_slice_of_a_volume_by_itself(data, kind, tmp_path):
    # five volumes of two slices, and the same slices as ten images
    def stack(images):
        return images.reshape(5, 2, *images.shape[1:])

    volumes = TrainingData(
        stack(data.train_inputs),
        stack(data.train_targets),
        [data.train_inputs[:2]],
        [data.train_targets[:2]],
    )
    settings = against(changed(STILL, iterations=2), **STILL_TOO, kind=kind)
    _, images_history = run(data, settings, tmp_path / "images")
    network = SliceBySlice(small_network())
    _, history = run(volumes, changed(settings, batch=5), tmp_path / "volumes", network=network)
    for term in ("generator_loss", "discriminator_loss", "mse"):
        assert history[term][1] == pytest.approx(images_history[term][1], rel=1e-4)


def test_the_generators_step_leaves_the_discriminator_alone(data, tmp_path, monkeypatch):
    seen, update = [], Step._update_generator

    def note(step, *arguments):
        before = [p.detach().clone() for p in step.adversary.discriminator.parameters()]
        found = update(step, *arguments)
        after = list(step.adversary.discriminator.parameters())
        seen.append(all(map(torch.equal, before, after)) and all(p.grad is None for p in after))
        return found

    monkeypatch.setattr(Step, "_update_generator", note)
    # the one step that meets the discriminator before it was ever updated
    run(data, changed(against(warm_up_iterations=0), iterations=1), tmp_path)
    assert seen == [True]


def test_the_warm_up_is_the_training_without_a_discriminator(data, stepped, tmp_path):
    alone, _ = run(data, changed(PLAIN, iterations=4), tmp_path / "alone")
    stepped["kill_at"] = 4
    with pytest.raises(KeyboardInterrupt):
        run(data, against(warm_up_iterations=4), tmp_path / "warm")
    state = torch.load(tmp_path / "warm" / "training_state.pt", weights_only=True)
    assert state["iteration"] == 4
    assert_same_weights(state["generator"], alone)


def test_the_loss_keeps_its_scale_when_the_discriminator_joins_in(data, tmp_path, monkeypatch):
    # with so large a share lambda is some hundreds: Adam would be thrown off by the jump
    norms, step = [], torch.optim.Adam.step

    def note(self, *arguments, **keywords):
        gradients = [p.grad for p in self.param_groups[0]["params"]]
        norms.append(torch.nn.utils.get_total_norm(gradients).item())
        return step(self, *arguments, **keywords)

    monkeypatch.setattr(torch.optim.Adam, "step", note)
    settings = against(
        changed(STILL, iterations=3),
        learning_rate=1e-20,
        warm_up_iterations=2,
        shares={"mse": 0.97},
    )
    run(data, settings, tmp_path)
    assert norms[2] == pytest.approx(norms[1], rel=0.1)


def test_every_seed_has_a_discriminator_of_its_own(data, tmp_path):
    states = []
    for seed in (0, 1):
        run(data, changed(ADVERSARIAL, iterations=4), tmp_path / str(seed), seed=seed)
        path = tmp_path / str(seed) / "training_state.pt"
        states.append(torch.load(path, weights_only=True)["discriminator"])
    name = next(iter(states[0]))
    assert not torch.equal(states[0][name], states[1][name])


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_the_discriminator_has_its_share_of_the_gradient(data, share, tmp_path):
    settings = changed(BALANCED, batch=10, augment=False, learning_rate=1e-20, iterations=8)
    parts = {"gradient_share": share, "learning_rate": 1e-20, "camera_noise": False}
    settings = changed(settings, adversarial=changed(BALANCED.adversarial, **parts))
    _, history = run(data, settings, tmp_path)
    found = history.adversarial_part_of_gradient.dropna()
    assert len(found) >= 3
    np.testing.assert_allclose(found, share, rtol=1e-3)


def test_a_share_of_the_loss_is_logged_with_its_part_of_the_gradient(data, tmp_path):
    settings = changed(STILL, iterations=loop.CHECK_EVERY + 1, validate_every=loop.CHECK_EVERY + 1)
    _, history = run(data, against(settings, **STILL_TOO), tmp_path)
    assert 0 < history.adversarial_part_of_gradient.iloc[-1] < 1


def test_the_generator_waits_while_the_discriminator_learns_alone(data, tmp_path):
    settings = changed(
        BALANCED,
        iterations=6,
        adversarial=changed(BALANCED.adversarial, warm_up_iterations=2, alone_iterations=2),
    )
    _, history = run(data, settings, tmp_path)
    mse = history.set_index("iteration").validation_mse
    assert mse[2] == mse[4] != mse[6]
    assert mse[0] != mse[2]
    assert history.iteration[history.kept].tolist() == [6]


def test_the_gradient_penalty_is_r1(data):
    gamma = 0.1
    settings = changed(BALANCED.adversarial, gradient_penalty=gamma)
    device = torch.device("cpu")
    joining = Joining(0, 0, 1e-4)
    adversary = Adversary(settings, joining, (0.9, 0.999), 0, device, torch.float32, ProcessGroup())
    slope = torch.arange(12.0).reshape(1, 1, 3, 4)
    both = torch.rand(4, 1, 3, 4, requires_grad=True)
    of_target = (both[2:] * slope).flatten(1).sum(dim=1)
    # of a linear discriminator the gradient is its slope; three steps of four leave it out
    found = adversary._gradient_penalty(both, of_target)
    assert found.item() == pytest.approx(4 * gamma / 2 * float((slope**2).sum()))


def test_a_weight_never_climbs_far_above_its_lowest():
    balance = GradientBalance(0.5, torch.device("cpu"), memory=0.0)
    one = torch.tensor(1.0)
    assert balance.weight(one, one).item() == pytest.approx(1.0)
    # a discriminator that cannot tell has no gradient
    assert balance.weight(one, torch.tensor(1e-9)).item() == pytest.approx(HIGHEST)


def test_noise_that_is_not_known_is_said_and_trained_without(data, tmp_path, caplog):
    with caplog.at_level("INFO", logger="crossres"):
        _, history = run(replace(data, noise=None), BALANCED, tmp_path / "unknown")
    assert "the noise of the targets' camera is not known" in caplog.text
    assert "it has 5% of the gradient instead of 30%" in caplog.text
    _, known = run(data, BALANCED, tmp_path / "known")
    part = "adversarial_part_of_gradient"
    assert history[part].iloc[-1] < 0.4 * known[part].iloc[-1]
    own = changed(BALANCED, adversarial=changed(BALANCED.adversarial, gradient_share=0.02))
    caplog.clear()
    with caplog.at_level("INFO", logger="crossres"):
        run(replace(data, noise=None), own, tmp_path / "less")
    assert "instead of" not in caplog.text


def test_shares_of_loss_and_gradient_exclude_each_other():
    with pytest.raises(ValueError, match="shares and gradient_share; give one of them"):
        changed(ADVERSARIAL.adversarial, gradient_share=0.3, shares={"mse": 0.5})
