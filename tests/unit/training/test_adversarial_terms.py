"""What a discriminator's logits add to both losses, against the printed formulas."""

import math

import pytest
import torch
import torch.nn.functional as F

from crossres.training import ProcessGroup
from crossres.training.losses import discriminator_term, equilibrium, generator_term

ALONE = ProcessGroup()
KINDS = ["standard", "relativistic", "relativistic_average"]
TARGET = torch.linspace(-8, 8, 33, dtype=torch.float64)
RESTORED = TARGET.flip(0) * 0.7 + 1


def cross_entropy(logits, label):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def test_the_standard_generator_loses_minus_log_d():
    # Wang 2019, eq. 1 and 7: cross-entropy against "is a target"
    expected = F.binary_cross_entropy(torch.sigmoid(RESTORED), torch.ones_like(RESTORED))
    torch.testing.assert_close(generator_term("standard", RESTORED, None, ALONE), expected)


def test_the_standard_discriminator_loses_the_sum_of_both_cross_entropies():
    # Wang 2019, eq. 1
    expected = cross_entropy(TARGET, 1.0) + cross_entropy(RESTORED, 0.0)
    found = discriminator_term("standard", RESTORED, TARGET, ALONE)
    torch.testing.assert_close(found, expected)


def test_the_relativistic_generator_loses_what_huang_prints():
    # Huang 2023, eq. 11, Y_label = 1
    expected = cross_entropy(RESTORED - TARGET, 1.0)
    torch.testing.assert_close(generator_term("relativistic", RESTORED, TARGET, ALONE), expected)


def test_the_relativistic_discriminator_loses_what_huang_prints():
    # Huang 2023, eq. 12, Y_label = 0; both halves are one and the same number
    first = cross_entropy(RESTORED - TARGET, 0.0)
    second = cross_entropy(TARGET - RESTORED, 1.0 - 0.0)
    torch.testing.assert_close(first, second)
    found = discriminator_term("relativistic", RESTORED, TARGET, ALONE)
    torch.testing.assert_close(found, (first + second) / 2)


def average_terms():
    """D_Ra of ESRGAN (Wang, Yu et al. 2018): logits less the other side's mean."""
    of_target = torch.sigmoid(TARGET - RESTORED.mean())
    of_restored = torch.sigmoid(RESTORED - TARGET.mean())
    return of_target, of_restored


def test_the_relativistic_average_discriminator_loses_half_of_what_esrgan_prints():
    # eq. 1; the half gives every relativistic loss one equilibrium
    real, fake = average_terms()
    expected = -torch.log(real).mean() - torch.log(1 - fake).mean()
    found = discriminator_term("relativistic_average", RESTORED, TARGET, ALONE)
    torch.testing.assert_close(found, expected / 2)


def test_the_relativistic_average_generator_loses_half_of_what_esrgan_prints():
    # eq. 2, the same with both sides exchanged
    real, fake = average_terms()
    expected = -torch.log(1 - real).mean() - torch.log(fake).mean()
    found = generator_term("relativistic_average", RESTORED, TARGET, ALONE)
    torch.testing.assert_close(found, expected / 2)


@pytest.mark.parametrize(
    ("kind", "logit", "discriminator"),
    [("standard", 0.0, 2 * math.log(2)),
     # the relativistic ones compare: any logit will do that both sides get
     ("relativistic", 0.0, math.log(2)), ("relativistic", 3.0, math.log(2)),
     ("relativistic_average", 0.0, math.log(2)), ("relativistic_average", 3.0, math.log(2))],
)  # fmt: skip
def test_a_blind_discriminator_is_in_equilibrium(kind, logit, discriminator):
    same = torch.full((5,), logit)
    assert equilibrium(kind) == pytest.approx(discriminator)
    assert discriminator_term(kind, same, same, ALONE).item() == pytest.approx(discriminator)
    assert generator_term(kind, same, same, ALONE).item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("kind", KINDS)
def test_what_one_side_gains_the_other_loses(kind):
    better, worse = RESTORED + 1, RESTORED - 1
    assert generator_term(kind, better, TARGET, ALONE) < generator_term(kind, worse, TARGET, ALONE)
    assert discriminator_term(kind, better, TARGET, ALONE) > discriminator_term(
        kind, worse, TARGET, ALONE
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("logit", [-1e4, -200.0, 200.0, 1e4])
def test_losses_and_gradients_stay_finite_where_d_rounds_to_0_or_1(kind, logit):
    restored = torch.full((3,), logit, requires_grad=True)
    target = torch.zeros(3, requires_grad=True)
    generator = generator_term(kind, restored, target, ALONE)
    discriminator = discriminator_term(kind, restored, target, ALONE)
    (generator + discriminator).backward()
    assert torch.isfinite(generator)
    assert torch.isfinite(discriminator)
    assert torch.isfinite(restored.grad).all()


@pytest.mark.parametrize("kind", ["standard", "relativistic"])
def test_an_extreme_logit_is_lost_in_full(kind):
    lost = generator_term(kind, torch.full((3,), -200.0), torch.zeros(3), ALONE)
    assert lost.item() == pytest.approx(200.0)
