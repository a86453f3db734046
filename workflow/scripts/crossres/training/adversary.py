"""The discriminator of a training: its updates, and its part in the generator's loss."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call

from crossres.catalogue.adversarial import Adversarial, Joining
from crossres.jobs import logger
from crossres.networks import PatchDiscriminator
from crossres.patches import TargetNoise
from crossres.training.balance import Balance, GradientBalance
from crossres.training.batches import in_best_order
from crossres.training.camera_noise import CameraNoise
from crossres.training.losses import discriminator_term, equilibrium, generator_term
from crossres.training.optimisers import load_optimiser, prepare, set_rate
from crossres.training.process_group import ProcessGroup

PENALTY_EVERY = 4
"""The gradient penalty is taken in one of so many iterations, with as many times the weight."""

WITHOUT_NOISE = 0.05
"""Most of the gradient that a discriminator may have where it is to see restorations with the
camera's noise and that is not known: with 30 % a TCAN painted a mesh on measured nuclear pores."""


class Adversary:
    """A discriminator with its optimiser, and the weights of the terms beside it.

    Parameters
    ----------
    settings
        Of the discriminator.
    joining
        When it joins in, and how fast it learns.
    betas
        Of its Adam.
    seed
        Of its weights.
    device
        Where to compute.
    precision
        Type that its convolutions are computed in.
    group
        The processes that share the training.
    noise
        Of normalised targets; None where it is not known.
    """

    def __init__(
        self,
        settings: Adversarial,
        joining: Joining,
        betas: tuple[float, float],
        seed: int,
        device: torch.device,
        precision: torch.dtype,
        group: ProcessGroup,
        noise: TargetNoise | None = None,
    ) -> None:
        self.settings, self.device, self.precision, self.group = settings, device, precision, group
        self.joining = joining
        self.equilibrium = equilibrium(settings.kind)
        self.balance = Balance(settings.shares, device)
        share = settings.gradient_share
        self.noise: CameraNoise | None = None
        if settings.camera_noise and noise is not None:
            self.noise = CameraNoise(noise, seed, device, group.rank)
        elif settings.camera_noise:
            said = (
                "the noise of the targets' camera is not known, the discriminator does not see it"
            )
            if share is not None and share > WITHOUT_NOISE:
                instead = f"{WITHOUT_NOISE:.0%} of the gradient instead of {share:.0%}"
                said = f"{said}: it has {instead}, or noise would be painted"
                share = WITHOUT_NOISE
            logger.info("%s", said)
        self.gradient_balance = None if share is None else GradientBalance(share, device)
        # a random stream of its own, which leaves the generator's untouched
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed + 1)
            discriminator = PatchDiscriminator(settings)
        self.discriminator, self.optimiser = prepare(
            discriminator, joining.learning_rate, betas, device
        )
        self.parallel_discriminator = group.data_parallel(self.discriminator)

    def penalised_at(self, iteration: int) -> bool:
        """Whether the gradient penalty is taken in this iteration."""
        return self.settings.gradient_penalty > 0 and iteration % PENALTY_EVERY == 0

    def draw(self, shape: Sequence[int], iteration: int, rate_factor: float) -> None:
        """Set what changes from one iteration to the next: the rate, and what is random."""
        set_rate(self.optimiser, rate_factor * self.joining.learning_rate)
        if self.noise is not None:
            for update in ("generator", "discriminator"):
                self.noise.draw(shape, iteration, update)

    def seen(self, restored: Tensor, update: str) -> Tensor:
        """Return restorations as the discriminator sees them, with a camera's noise or bare."""
        if self.noise is None:
            return restored
        return restored + self.noise.on(restored, update)

    def term(self, restored: Tensor, target: Tensor) -> Tensor:
        """Return the weighted term of the generator's loss; the discriminator gets no gradients."""
        kind = self.settings.kind
        restored = self.seen(restored, "generator")
        frozen = {k: v.detach() for k, v in self.discriminator.named_parameters()}
        with autocast(self.device, self.precision):
            logits = [
                functional_call(self.discriminator, frozen, (_slices(images),)).float()
                for images in ([restored] if kind == "standard" else [restored, target])
            ]
        return self.settings.weight * generator_term(kind, logits[0], logits[-1], self.group)

    def update(self, restored: Tensor, target: Tensor, penalised: bool) -> Tensor:
        """Update the discriminator once and return its loss, the gradient penalty left out."""
        restored = self.seen(restored, "discriminator")
        both = in_best_order(_slices(torch.cat([restored, target])))
        both.requires_grad_(penalised)
        with autocast(self.device, self.precision):
            logits = self.parallel_discriminator(both)
        of_restored, of_target = logits.float().chunk(2)
        loss = discriminator_term(self.settings.kind, of_restored, of_target, self.group)
        penalty = self._gradient_penalty(both, of_target) if penalised else torch.zeros_like(loss)
        self.optimiser.zero_grad(set_to_none=True)
        (loss + penalty).backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        return loss.detach()

    def _gradient_penalty(self, both: Tensor, of_target: Tensor) -> Tensor:
        """Return gamma / 2 E|dD/dy|^2 (Mescheder et al. 2018, eq. 9), for the steps left out."""
        (gradient,) = torch.autograd.grad(of_target.sum(), both, create_graph=True)
        square = gradient.chunk(2)[1].float().square().flatten(1).sum(dim=1).mean()
        return PENALTY_EVERY * self.settings.gradient_penalty / 2 * square

    def state(self) -> dict[str, Any]:
        """Return all that its part in the training depends on."""
        return {
            "balance": self.balance.state(),
            **(
                {"gradient_balance": self.gradient_balance.state()} if self.gradient_balance else {}
            ),
            "discriminator": self.discriminator.state_dict(),
            "discriminator_optimiser": self.optimiser.state_dict(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Load a saved state."""
        self.balance.load(state["balance"])
        if self.gradient_balance:
            self.gradient_balance.load(state["gradient_balance"])
        self.discriminator.load_state_dict(state["discriminator"])
        load_optimiser(self.optimiser, state["discriminator_optimiser"])


def autocast(device: torch.device, precision: torch.dtype) -> torch.autocast:
    """Compute convolutions in this type; float32 changes nothing."""
    return torch.autocast(device.type, precision, precision != torch.float32)


def _slices(images: Tensor) -> Tensor:
    """Return volumes as a batch of their slices; a discriminator sees each by itself."""
    return images if images.ndim == 4 else images.transpose(1, 2).flatten(0, 1)
