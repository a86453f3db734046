"""The losses since the last validation, kept on the device until they are needed."""

from collections.abc import Mapping

import torch
from torch import Tensor

from crossres.training.process_group import ProcessGroup


class RunningLosses:
    """Running sums of the terms of the loss; adding to them makes no GPU wait.

    Parameters
    ----------
    device
        Where the terms are computed.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}
        self.latest: dict[str, Tensor] = {}
        self.not_finite_at = torch.zeros((), dtype=torch.int64, device=device)

    def add(self, iteration: int, terms: Mapping[str, Tensor]) -> None:
        """Add the scalar terms of one iteration, counted from 1.

        A term that appears later is averaged from where it appeared.
        """
        names = list(terms)
        values = torch.stack([term.detach().float() for term in terms.values()])
        finite = torch.isfinite(values).all()
        first = ~finite & (self.not_finite_at == 0)
        self.not_finite_at = torch.where(first, iteration, self.not_finite_at)
        for name, value in zip(names, values.unbind(), strict=True):
            before = self.latest.get(name, value)
            self.latest[name] = torch.where(self.not_finite_at == 0, value, before)
            self.sums[name] = self.sums.get(name, torch.zeros_like(value)) + value
            self.counts[name] = self.counts.get(name, 0) + 1

    def first_not_finite(self, group: ProcessGroup) -> int | None:
        """Return the first iteration with a term that is not finite, in any process.

        This waits for the device. All processes get the same answer, so that none goes on alone.
        """
        never = torch.iinfo(torch.int64).max
        at = group.minimum(torch.where(self.not_finite_at > 0, self.not_finite_at, never))
        return None if at == never else at

    def last_finite(self) -> str:
        """Return the latest finite terms and shares in words."""
        if not self.latest:
            return "nothing yet"
        return ", ".join(f"{name} {value.item():.3g}" for name, value in self.latest.items())

    def means(self, group: ProcessGroup) -> dict[str, float]:
        """Return the means since the last call, over all processes, and start again."""
        means = {name: total / self.counts[name] for name, total in self.sums.items()}
        self.sums, self.counts = {}, {}
        return {n: float(v) for n, v in group.means(means).items()} if means else {}
