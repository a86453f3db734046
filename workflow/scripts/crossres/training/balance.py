"""Weights that give each term of the generator's loss its stated share."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

LEAST = 1e-12
"""A term below this counts as this: its weight stays finite."""


class Balance:
    """Weights lambda and nu of Wang et al. 2019, eq. 1, from the shares they should have.

    The paper sets lambda and nu by hand so that each regulariser comes to 1-10 % of the
    combined loss. Here the shares are the setting: beside a discriminator in equilibrium, whose
    adversarial term is ln 2, a term r of share s has

        weight = s / (1 - all shares) * ln 2 / r,

    with r the lowest running mean of the bare term so far. Neither the discriminator's success
    nor a growing error loosens the weights: a share that followed the actual adversarial loss
    would take the discriminator's voice away just when it is winning, and one that followed the
    actual error would reward the generator for straying. The actual shares are logged.

    Everything stays on the device: no number is waited for.

    Parameters
    ----------
    shares
        Wanted share of each term by its name; their sum lies below 1.
    device
        Where the terms are computed.
    memory
        Part of the running mean that is kept at every iteration.
    """

    def __init__(
        self, shares: Mapping[str, float], device: torch.device, memory: float = 0.98
    ) -> None:
        self.shares = {name: share for name, share in shares.items() if share > 0}
        self.memory = memory
        unknown = torch.full((len(self.shares),), math.inf, device=device)
        self.means, self.lowest = unknown, unknown.clone()

    def update(self, terms: Mapping[str, Tensor]) -> None:
        """Take in the bare terms of one iteration; those without a share are not looked at."""
        if not self.shares:
            return
        values = torch.stack([terms[name].detach() for name in self.shares])
        before = torch.where(torch.isfinite(self.means), self.means, values)
        self.means = self.memory * before + (1 - self.memory) * values
        self.lowest = torch.minimum(self.lowest, self.means)

    def weights(self) -> dict[str, Tensor]:
        """Return the weight of every term that has a share; they follow the first update."""
        rest = 1.0 - sum(self.shares.values())
        return {
            name: share / rest * math.log(2) / self.lowest[place].clamp_min(LEAST)
            for place, (name, share) in enumerate(self.shares.items())
        }

    def state(self) -> list[Tensor]:
        """Return what the weights depend on."""
        return [self.means, self.lowest]

    def restore(self, state: list[Tensor]) -> None:
        """Take up a saved state."""
        self.means, self.lowest = (t.to(self.means.device) for t in state)
