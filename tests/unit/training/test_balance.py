"""Weights that give each term of the loss its share."""

import math

import pytest
import torch

from crossres.training.balance import Balance

CPU = torch.device("cpu")


def balance(**shares):
    return Balance(shares, CPU)


def terms(**values):
    return {name: torch.tensor(value) for name, value in values.items()}


def updated(weighing, times=1, **values):
    for _ in range(times):
        weighing.update(terms(**values))
    return {name: weight.item() for name, weight in weighing.weights().items()}


@pytest.mark.parametrize("shares", [{"mse": 0.05}, {"mse": 0.1, "log_ssim": 0.03}, {"mae": 0.9},
                                    {"mse": 0.2, "mae": 0.3, "ssim": 0.1}])  # fmt: skip
def test_shares_hold_beside_a_blind_discriminator(shares):
    bare = {"mse": 0.037, "mae": 0.12, "ssim": 0.3, "log_ssim": 0.42}
    weights = updated(balance(**shares), 3, **bare)
    weighed = {name: weight * bare[name] for name, weight in weights.items()}
    total = math.log(2) + sum(weighed.values())
    assert weighed.keys() == shares.keys()
    for name, share in shares.items():
        assert weighed[name] / total == pytest.approx(share)


def test_weights_follow_a_falling_error():
    weighing = balance(mse=0.5)
    updated(weighing, 2000, mse=8.0)
    # a share of a half: lambda * mse = ln 2
    assert updated(weighing, 2000, mse=2.0)["mse"] == pytest.approx(math.log(2) / 2, rel=1e-3)


def test_one_lucky_batch_does_not_carry_the_weights_away():
    weighing = balance(mse=0.5)
    before = updated(weighing, 100, mse=1.0)["mse"]
    # two in a hundred of a term that is nearly nothing
    assert updated(weighing, 1, mse=1e-6)["mse"] == pytest.approx(before / 0.98, rel=1e-3)


def test_a_growing_error_does_not_loosen_the_weights():
    weighing = balance(mse=0.5)
    before = updated(weighing, mse=2.0)
    assert updated(weighing, 500, mse=50.0) == pytest.approx(before)


def test_no_share_is_no_weight():
    assert updated(balance(mse=0.05, ssim=0.0), mse=1.0, ssim=1.0).keys() == {"mse"}
    assert updated(balance(), mse=1.0) == {}


def test_terms_without_a_share_are_not_looked_at():
    weights = updated(balance(mse=0.5), mse=1.0, mae=math.nan)
    assert weights["mse"] == pytest.approx(math.log(2))


def test_a_term_of_nothing_has_a_finite_weight():
    assert math.isfinite(updated(balance(mse=0.5), mse=0.0)["mse"])


def test_no_gradient_passes_through_the_weights():
    error = torch.tensor(2.0, requires_grad=True)
    weighing = balance(mse=0.5)
    weighing.update({"mse": error})
    assert not weighing.weights()["mse"].requires_grad


def test_weights_go_on_from_a_saved_state():
    whole, resumed = balance(mse=0.5, mae=0.1), balance(mse=0.5, mae=0.1)
    updated(whole, 10, mse=3.0, mae=1.0)
    resumed.load([tensor.clone() for tensor in whole.state()])
    later = {"mse": 0.5, "mae": 2.0}
    assert updated(resumed, 7, **later) == updated(whole, 7, **later)
