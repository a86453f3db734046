"""The losses since the last validation, kept on the device until they are needed."""

import torch
from torch import Tensor

from crossres.training.process_group import ProcessGroup

Names = tuple[str, ...]


class RunningLosses:
    """Running sums of the terms of the loss; adding to them makes no GPU wait.

    Parameters
    ----------
    device
        Where the terms are computed.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.sums: dict[Names, Tensor] = {}
        self.counts: dict[Names, int] = {}
        self.latest: dict[Names, Tensor] = {}
        self.not_finite_at = torch.zeros((), dtype=torch.int64, device=device)

    def add(self, iteration: int, names: Names, values: Tensor) -> None:
        """Add the terms of one iteration, counted from 1.

        A term that appears later is averaged from where it appeared.

        Parameters
        ----------
        iteration
            Of these terms.
        names, values
            Of the terms, (N,) float32.
        """
        first = ~torch.isfinite(values).all() & (self.not_finite_at == 0)
        self.not_finite_at = torch.where(first, iteration, self.not_finite_at)
        # put last, as the latest of a name is the one that was added last
        before = self.latest.pop(names, values)
        self.latest[names] = torch.where(self.not_finite_at == 0, values, before)
        self.sums[names] = self.sums.get(names, torch.zeros_like(values)) + values
        self.counts[names] = self.counts.get(names, 0) + 1

    def first_not_finite(self, group: ProcessGroup) -> int | None:
        """Return the first iteration with a term that is not finite, in any process.

        This waits for the device. All processes get the same answer, so that none goes on alone.
        """
        never = torch.iinfo(torch.int64).max
        at = group.minimum(torch.where(self.not_finite_at > 0, self.not_finite_at, never))
        return None if at == never else at

    def last_finite(self) -> str:
        """Return the latest finite terms and shares in words."""
        latest: dict[str, float] = {}
        for names, values in self.latest.items():
            latest |= zip(names, values.tolist(), strict=True)
        return ", ".join(f"{name} {value:.3g}" for name, value in latest.items()) or "nothing yet"

    def means(self, group: ProcessGroup) -> dict[str, float]:
        """Return the means since the last call, over all processes, and start again."""
        totals: dict[str, Tensor] = {}
        counts: dict[str, int] = {}
        for names, sums in self.sums.items():
            for name, total in zip(names, sums.unbind(), strict=True):
                totals[name] = totals.get(name, torch.zeros_like(total)) + total
                counts[name] = counts.get(name, 0) + self.counts[names]
        means = {name: total / counts[name] for name, total in totals.items()}
        self.sums, self.counts = {}, {}
        return {n: float(v) for n, v in group.means(means).items()} if means else {}
