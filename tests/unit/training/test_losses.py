import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from skimage.metrics import structural_similarity

from crossres.training.losses import (
    Balance,
    adversarial_loss,
    discriminator_loss,
    log_ssim_loss,
    ssim,
)

LOGITS = torch.linspace(-8, 8, 33, dtype=torch.float64)


def test_adversarial_loss_is_minus_log_d():
    # Wang 2019, eq. 1 and 7: cross-entropy against "is a target"
    expected = F.binary_cross_entropy(torch.sigmoid(LOGITS), torch.ones_like(LOGITS))
    torch.testing.assert_close(adversarial_loss(LOGITS), expected)


def test_discriminator_loss_is_the_sum_of_both_cross_entropies():
    of_target, of_restored = LOGITS, LOGITS.flip(0) * 0.7 + 1
    expected = F.binary_cross_entropy(
        torch.sigmoid(of_target), torch.ones_like(LOGITS)
    ) + F.binary_cross_entropy(torch.sigmoid(of_restored), torch.zeros_like(LOGITS))
    torch.testing.assert_close(discriminator_loss(of_target, of_restored), expected)


def test_a_blind_discriminator_loses_two_ln_two_and_the_generator_ln_two():
    nothing = torch.zeros(5)
    assert discriminator_loss(nothing, nothing).item() == pytest.approx(2 * math.log(2))
    assert adversarial_loss(nothing).item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("logit", [-1e4, -200.0, 200.0, 1e4])
def test_losses_and_gradients_stay_finite_where_d_rounds_to_0_or_1(logit):
    z = torch.full((3,), logit, requires_grad=True)
    (adversarial_loss(z) + discriminator_loss(z, z)).backward()
    assert torch.isfinite(z.grad).all()
    assert adversarial_loss(z).item() == pytest.approx(max(-logit, 0.0))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-9)])
@pytest.mark.parametrize("shape", [(32, 32), (25, 40), (11, 12)])
def test_ssim_is_that_of_scikit_image(rng, shape, dtype, tolerance):
    x = rng.random(shape)
    y = np.clip(x + 0.2 * rng.normal(size=shape), 0, 1)
    expected = structural_similarity(
        x, y, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    found = ssim(*(torch.from_numpy(a)[None, None].to(dtype) for a in (x, y)))
    assert found.item() == pytest.approx(expected, abs=tolerance)


def test_ssim_of_a_batch_is_the_mean_of_its_images(rng):
    x, y = torch.from_numpy(rng.random((2, 4, 1, 16, 16)))
    single = [ssim(a[None], b[None]).item() for a, b in zip(x, y, strict=True)]
    assert ssim(x, y).item() == pytest.approx(np.mean(single))


def test_log_ssim_loss_of_identical_images_is_zero(rng):
    x = torch.from_numpy(rng.random((2, 1, 16, 16)))
    assert log_ssim_loss(x, x).item() == pytest.approx(0.0, abs=1e-12)


def test_log_ssim_loss_is_the_printed_term(rng):
    x, y = torch.from_numpy(rng.random((2, 1, 1, 20, 20)))
    similarity = structural_similarity(
        x[0, 0].numpy(), y[0, 0].numpy(), data_range=1.0, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False,
    )  # fmt: skip
    assert log_ssim_loss(x, y).item() == pytest.approx(-math.log((1 + similarity) / 2))


def test_ssim_loss_can_be_learnt_from(rng):
    x, y = torch.from_numpy(rng.random((2, 1, 1, 20, 20)))
    x.requires_grad_()
    before = log_ssim_loss(x, y)
    before.backward()
    with torch.no_grad():
        assert log_ssim_loss(x - 10 * x.grad, y) < before


@pytest.mark.parametrize("shares", [{"mse": 0.05, "ssim": 0.0}, {"mse": 0.1, "ssim": 0.03},
                                    {"mse": 0.9, "ssim": 0.0}])  # fmt: skip
def test_shares_hold_beside_a_blind_discriminator(shares):
    balance = Balance(shares)
    terms = {"mse": 0.037, "ssim": 0.42}
    for _ in range(3):
        balance.update(terms)
    weighed = {name: balance.weight(name) * value for name, value in terms.items()}
    total = math.log(2) + sum(weighed.values())
    for name, share in shares.items():
        assert weighed[name] / total == pytest.approx(share)


def test_weights_follow_a_falling_error():
    balance = Balance({"mse": 0.5})
    for _ in range(2000):
        balance.update({"mse": 8.0})
    for _ in range(2000):
        balance.update({"mse": 2.0})
    # a share of a half: lambda * mse = ln 2
    assert balance.weight("mse") == pytest.approx(math.log(2) / 2.0, rel=1e-3)


def test_a_growing_error_does_not_loosen_the_weights():
    balance = Balance({"mse": 0.5})
    balance.update({"mse": 2.0})
    before = balance.weight("mse")
    for _ in range(500):
        balance.update({"mse": 50.0})
    assert balance.weight("mse") == pytest.approx(before)


@pytest.mark.parametrize("name", ["ssim", "not there"])
def test_no_share_is_no_weight(name):
    balance = Balance({"mse": 0.05, "ssim": 0.0})
    balance.update({"mse": 1.0, "ssim": 1.0})
    assert balance.weight(name) == 0.0
