"""The terms of Wang et al. 2019, eq. 1, and the balance between them."""

import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

SSIM_WINDOW_PX = 11
SSIM_SIGMA_PX = 1.5
SSIM_C1, SSIM_C2 = 0.01**2, 0.03**2
"""Window and constants of Wang, Bovik et al. 2004, for images of range 1."""


def adversarial_loss(logits_of_restored: Tensor) -> Tensor:
    """-log D(G(x)), from logits: softplus(-z) neither overflows nor rounds to log 0."""
    return F.softplus(-logits_of_restored).mean()


def discriminator_loss(logits_of_target: Tensor, logits_of_restored: Tensor) -> Tensor:
    """-log D(y) - log[1 - D(G(x))], from logits; 2 ln 2 = 1.386 when D cannot tell."""
    return F.softplus(-logits_of_target).mean() + F.softplus(logits_of_restored).mean()


def ssim(x: Tensor, y: Tensor) -> Tensor:
    """Mean structural similarity (eq. 2) of images (N, 1, Y, X) of range 1.

    Means and variances are taken over a Gaussian window of 11 pixels, sigma 1.5; the paper
    prints the formula and not the window.
    """
    offset = torch.arange(SSIM_WINDOW_PX, device=x.device, dtype=x.dtype) - SSIM_WINDOW_PX // 2
    g = torch.exp(-(offset**2) / (2 * SSIM_SIGMA_PX**2))
    window = torch.outer(g, g)[None, None] / g.sum() ** 2

    def mean(image: Tensor) -> Tensor:
        return F.conv2d(image, window)

    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    numerator = (2 * mx * my + SSIM_C1) * (2 * cov + SSIM_C2)
    return (numerator / ((mx**2 + my**2 + SSIM_C1) * (vx + vy + SSIM_C2))).mean()


def log_ssim_loss(x: Tensor, y: Tensor) -> Tensor:
    """-log[(1 + SSIM) / 2], the last term of eq. 1."""
    return -torch.log((1 + ssim(x, y)) / 2)


@dataclass
class Balance:
    """Weights lambda and nu that give each regulariser its share of the generator loss.

    The paper sets lambda and nu by hand so that each regulariser comes to 1-10 % of the
    combined loss. Here the shares are the setting: beside a discriminator in equilibrium, whose
    adversarial term is ln 2, a regulariser r of share s has

        weight = s / (1 - all shares) * ln 2 / r,

    with r the lowest running mean of the bare term so far. Neither the discriminator's success
    nor a growing error loosens the weights: a share that followed the actual adversarial loss
    would take the discriminator's voice away just when it is winning, and one that followed the
    actual error would reward the generator for straying. The actual shares are logged.

    Parameters
    ----------
    shares
        Wanted share of each regulariser, "mse" and "ssim"; their sum lies below 1.
    memory
        Part of the running mean that is kept at every iteration.
    means, lowest
        Running means of the bare terms, and the lowest they have been: part of the training
        state.
    """

    shares: dict[str, float]
    memory: float = 0.98
    means: dict[str, float] = field(default_factory=dict)
    lowest: dict[str, float] = field(default_factory=dict)

    def update(self, terms: dict[str, float]) -> None:
        """Take in the bare terms of one iteration."""
        for name, value in terms.items():
            before = self.means.get(name, value)
            self.means[name] = self.memory * before + (1 - self.memory) * value
            self.lowest[name] = min(self.lowest.get(name, self.means[name]), self.means[name])

    def weight(self, name: str) -> float:
        """Return lambda ("mse") or nu ("ssim")."""
        if self.shares.get(name, 0.0) == 0.0:
            return 0.0
        ratio = self.shares[name] / (1.0 - sum(self.shares.values()))
        return ratio * math.log(2) / max(self.lowest[name], 1e-12)
