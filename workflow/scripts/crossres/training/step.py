"""One iteration of a training: the updates of the generator and of the discriminator."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from crossres.catalogue.networks import Network
from crossres.networks import last_convolution, precision_of
from crossres.networks.graphs import Graphs
from crossres.patches import TargetNoise
from crossres.training.adversary import Adversary, autocast
from crossres.training.compiling import compiled
from crossres.training.losses import FIDELITY
from crossres.training.optimisers import load_optimiser, prepare, set_rate
from crossres.training.process_group import ProcessGroup
from crossres.training.running_losses import Names
from crossres.training.schedules import rate_factor

CHECK_EVERY = 25
"""Iterations between two looks at what costs time: a GPU waits, or a pass through a network."""


class Work(NamedTuple):
    """What an iteration computes; on a GPU, iterations of the same work are one graph.

    Parameters
    ----------
    generator
        The generator is updated.
    discriminator
        The discriminator is updated; if the generator is too, it meets it.
    penalised
        With the gradient penalty.
    share
        The adversarial term's share of the gradient is looked at.
    """

    generator: bool
    discriminator: bool
    penalised: bool
    share: bool


class Step:
    """Networks in training, with their optimisers.

    Parameters
    ----------
    network
        The generator.
    settings
        How it is trained.
    seed
        Of the discriminator's weights.
    device
        Where to compute.
    group
        The processes that share the training.
    noise
        Of the targets' camera; None where it is not known.
    batch_shape
        (n, 1, [Z,] Y, X) of the batches of this process.
    """

    def __init__(
        self,
        network: nn.Module,
        settings: Network,
        seed: int,
        device: torch.device,
        group: ProcessGroup,
        noise: TargetNoise | None,
        batch_shape: Sequence[int],
    ) -> None:
        self.settings, self.device, self.group = settings, device, group
        self.precision = precision_of(settings.precision, device)
        self.generator, self.optimiser = prepare(
            network, settings.learning_rate, settings.betas, device
        )
        self.generator = group.synchronise_batch_norm(self.generator)
        own = self.generator
        if settings.compile:
            example = torch.zeros(tuple(batch_shape), device=device)
            own = compiled(own, example, self.precision, settings.adversarial is not None)
        self.parallel_generator = group.data_parallel(own)
        self.adversary: Adversary | None = None
        if settings.adversarial and settings.joining:
            self.adversary = Adversary(
                settings.adversarial,
                settings.joining,
                settings.betas,
                seed,
                device,
                self.precision,
                group,
                noise,
            )
        # what processes send each other is not recorded
        self.graphs = Graphs(device, wanted=group.world_size == 1)
        self.names: dict[Work, Names] = {}

    def work_of(self, iteration: int) -> Work:
        """Return what an iteration, from 0, computes."""
        adversary = self.adversary
        if adversary is None or iteration < adversary.joining.warm_up_iterations:
            return Work(True, False, False, False)
        penalised = adversary.penalised_at(iteration)
        if iteration < adversary.joining.meets_at:
            return Work(False, True, penalised, False)
        share = adversary.gradient_balance is not None or iteration % CHECK_EVERY == 0
        return Work(True, True, penalised, share)

    def meets_adversary(self, iteration: int) -> bool:
        """Whether the generator meets the discriminator in this iteration."""
        work = self.work_of(iteration)
        return work.generator and work.discriminator

    def run(self, x: Tensor, y: Tensor, iteration: int) -> tuple[Names, Tensor]:
        """Do the updates of an iteration; return its terms, which the next call overwrites."""
        factor = rate_factor(self.settings, iteration)
        set_rate(self.optimiser, factor * self.settings.learning_rate)
        work = self.work_of(iteration)
        if work.discriminator and self.adversary:
            self.adversary.draw(x.shape, iteration, factor)

        def update(x: Tensor, y: Tensor) -> Tensor:
            terms = self._both(x, y, work) if work.generator else self._discriminator(x, y, work)
            self.names[work] = tuple(terms)
            return torch.stack([term.detach() for term in terms.values()])

        values = self.graphs.call((work, x.shape), update, x, y)
        return self.names[work], values

    def _discriminator(self, x: Tensor, y: Tensor, work: Work) -> dict[str, Tensor]:
        """Update the discriminator beside a generator that waits."""
        assert self.adversary is not None
        with torch.no_grad(), autocast(self.device, self.precision):
            restored = self.generator(x).float()
        return {"discriminator_loss": self.adversary.update(restored, y, work.penalised)}

    def _both(self, x: Tensor, y: Tensor, work: Work) -> dict[str, Tensor]:
        """Update the generator and, if it meets one, the discriminator."""
        with autocast(self.device, self.precision):
            restored = self.parallel_generator(x)
        restored = restored.float()
        shares = self.adversary.balance.shares if self.adversary else {}
        unweighted = {
            name: FIDELITY[name](restored, y)
            for name in dict.fromkeys([*self.settings.loss, *shares])
        }
        terms = self._update_generator(restored, y, unweighted, work)
        if work.discriminator and self.adversary:
            terms["discriminator_loss"] = self.adversary.update(
                restored.detach(), y, work.penalised
            )
        return terms

    def _update_generator(
        self, restored: Tensor, y: Tensor, unweighted: Mapping[str, Tensor], work: Work
    ) -> dict[str, Tensor]:
        weights: dict[str, Any] = {k: w for k, w in self.settings.loss.items() if w > 0}
        parts: dict[str, Tensor] = {}
        scale: Any = 1.0
        balanced: Mapping[str, Tensor] = {}
        if self.adversary:
            self.adversary.balance.update(self.group.means(unweighted))
        if self.adversary and work.discriminator:
            balanced = self.adversary.balance.weights()
            weights = {**balanced} or weights
            parts["adversarial"] = self.adversary.term(restored, y)
            # Divided by the sum of the balanced weights, the loss keeps the scale of the warm-up.
            # Adam does not depend on the scale of a loss, but a jump of it by lambda, some
            # thousands, throws the weights far off until its running variances have followed.
            scale = sum(balanced.values()) if balanced else 1.0
        parts |= {name: weight * unweighted[name] for name, weight in weights.items()}
        gradient: Tensor | None = None
        looked_at: dict[str, Tensor] = {}
        if work.share:
            gradient, looked_at = self._balance_gradients(restored, parts)
        loss = torch.stack(list(parts.values())).sum()
        self.optimiser.zero_grad(set_to_none=True)
        if gradient is None:
            (loss / scale).backward()
        else:
            torch.autograd.backward(restored, gradient)
        self.optimiser.step()
        terms = {"generator_loss": loss, **unweighted}
        terms |= {f"weight_{name}": weight for name, weight in balanced.items()}
        terms |= looked_at
        return terms | {f"{name}_share": part / loss for name, part in parts.items()}

    def _balance_gradients(
        self, restored: Tensor, parts: dict[str, Tensor]
    ) -> tuple[Tensor | None, dict[str, Tensor]]:
        """Weigh the adversarial part, if its share of the gradient is set, and return that share.

        It is the share of the norms of both gradients at the last convolution. Where the share of
        the loss is set instead, it is looked at in some iterations only, as it costs a pass through
        the discriminator. Where it is set, the gradient of the weighted sum at the restoration is
        returned first: with it the discriminator is passed through once.
        """
        assert self.adversary is not None
        balance = self.adversary.gradient_balance
        fidelity = torch.stack([p for name, p in parts.items() if name != "adversarial"]).sum()
        gradients = {
            name: torch.autograd.grad(part, restored, retain_graph=True)[0]
            for name, part in (("fidelity", fidelity), ("adversarial", parts["adversarial"]))
        }
        weight = last_convolution(self.generator).weight
        norms = self.group.means({
            name: torch.autograd.grad(restored, weight, gradient, retain_graph=True)[0].norm()
            for name, gradient in gradients.items()
        })  # fmt: skip
        found, whole = {}, None
        if balance is not None:
            factor = balance.weight(norms["fidelity"], norms["adversarial"])
            parts["adversarial"] = factor * parts["adversarial"]
            norms["adversarial"] = factor * norms["adversarial"]
            found["weight_adversarial"] = factor
            whole = gradients["fidelity"] + factor * gradients["adversarial"]
        total = (norms["fidelity"] + norms["adversarial"]).clamp_min(1e-12)
        return whole, found | {"adversarial_part_of_gradient": norms["adversarial"] / total}

    def state(self) -> dict[str, Any]:
        """Return all that the rest of the training depends on."""
        return {
            "generator": self.generator.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            **(self.adversary.state() if self.adversary else {}),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Load a saved state; before the first step only, as graphs hold what they were made of."""
        self.generator.load_state_dict(state["generator"])
        load_optimiser(self.optimiser, state["optimiser"])
        if self.adversary:
            self.adversary.load(state)
