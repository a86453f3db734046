"""Weights that give each term of the generator's loss a set share."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from crossres.catalogue.adversarial import Term

HIGHEST = 10.0
"""A weight of the adversarial term never exceeds so many times its lowest: a discriminator that
cannot tell, or is never fooled, has hardly a gradient, and its weight would grow a thousandfold."""

LEAST = 1e-12
"""Terms are clamped to at least this, so that their weights stay finite."""


class Balance:
    """Weights lambda and nu of Wang et al. 2019, eq. 1, from the shares they should have.

    The paper sets lambda and nu by hand so that each regulariser comes to 1-10 % of the
    combined loss. Here the shares are set: with a discriminator in equilibrium, whose adversarial
    term is ln 2, a term r of share s has

        weight = s / (1 - all shares) * ln 2 / r,

    where r is the lowest running mean of the unweighted term so far. The weights fall neither
    when the discriminator succeeds nor when the error grows: a share of the actual adversarial
    loss would mute the discriminator just when it is winning, and a share of the actual error
    would reward the generator for straying. The actual shares are logged.

    Everything stays on the device, in tensors that are changed in place: nothing waits for it, and
    a graph of the step may hold it.

    Parameters
    ----------
    shares
        Share of each term by name; their sum is below 1.
    device
        Where the terms are computed.
    memory
        Weight of the past in the running mean.
    """

    def __init__(
        self, shares: Mapping[Term, float], device: torch.device, memory: float = 0.98
    ) -> None:
        self.shares: dict[str, float] = {name: share for name, share in shares.items() if share > 0}
        self.memory = memory
        unknown = torch.full((len(self.shares),), math.inf, device=device)
        self.means, self.lowest = unknown, unknown.clone()

    def update(self, terms: Mapping[str, Tensor]) -> None:
        """Add the unweighted terms of one iteration; those without a share are ignored."""
        if not self.shares:
            return
        values = torch.stack([terms[name].detach() for name in self.shares])
        before = torch.where(torch.isfinite(self.means), self.means, values)
        self.means.copy_(self.memory * before + (1 - self.memory) * values)
        torch.minimum(self.lowest, self.means, out=self.lowest)

    def weights(self) -> dict[str, Tensor]:
        """Return the weight of every term with a share; only after the first update."""
        rest = 1.0 - sum(self.shares.values())
        return {
            name: share / rest * math.log(2) / self.lowest[place].clamp_min(LEAST)
            for place, (name, share) in enumerate(self.shares.items())
        }

    def state(self) -> list[Tensor]:
        """Return the state that the weights depend on."""
        return [self.means, self.lowest]

    def load(self, state: list[Tensor]) -> None:
        """Load a saved state."""
        self.means.copy_(state[0])
        self.lowest.copy_(state[1])


class GradientBalance:
    """Weight of the adversarial term that gives it a share s of the generator's gradient.

    w = s / (1 - s) * |gradient of the fidelity| / |gradient of the adversarial term|, both norms as
    running means. Everything stays on the device, as that of :class:`Balance`.

    Parameters
    ----------
    share
        s.
    device
        Where the norms are computed.
    memory
        Weight of the past in the running means.
    """

    def __init__(self, share: float, device: torch.device, memory: float = 0.95) -> None:
        self.share, self.memory = share, memory
        self.means = torch.full((2,), math.inf, device=device)
        self.lowest = torch.full((), math.inf, device=device)

    def weight(self, fidelity: Tensor, adversarial: Tensor) -> Tensor:
        """Return the weight, from the norms of this iteration's gradients."""
        norms = torch.stack([fidelity, adversarial]).detach()
        before = torch.where(torch.isfinite(self.means), self.means, norms)
        self.means.copy_(self.memory * before + (1 - self.memory) * norms)
        ratio = self.means[0] / self.means[1].clamp_min(LEAST)
        weight = self.share / (1 - self.share) * ratio
        torch.minimum(self.lowest, weight, out=self.lowest)
        return torch.minimum(weight, HIGHEST * self.lowest)

    def state(self) -> list[Tensor]:
        """Return the state that the weight depends on."""
        return [self.means, self.lowest]

    def load(self, state: list[Tensor]) -> None:
        """Load a saved state."""
        self.means.copy_(state[0])
        self.lowest.copy_(state[1])
