"""The discriminator of a training: its updates, and its part in the generator's loss."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call

from crossres.catalogue.networks import Adversarial
from crossres.networks import PatchDiscriminator
from crossres.training.balance import Balance
from crossres.training.batches import in_best_order
from crossres.training.losses import discriminator_term, equilibrium, generator_term
from crossres.training.optimisers import load_optimiser, prepare
from crossres.training.process_group import ProcessGroup


class Adversary:
    """A discriminator with its optimiser, and the weights of the terms beside it.

    Parameters
    ----------
    settings
        Of the discriminator.
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
    """

    def __init__(
        self,
        settings: Adversarial,
        betas: tuple[float, float],
        seed: int,
        device: torch.device,
        precision: torch.dtype,
        group: ProcessGroup,
    ) -> None:
        self.settings, self.device, self.precision, self.group = settings, device, precision, group
        self.equilibrium = equilibrium(settings.kind)
        self.balance = Balance(settings.shares, device)
        # a random stream of its own, which leaves the generator's untouched
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed + 1)
            discriminator = PatchDiscriminator(settings)
        self.discriminator, self.optimiser = prepare(
            discriminator, settings.learning_rate, betas, device
        )
        self.parallel_discriminator = group.data_parallel(self.discriminator)

    def term(self, restored: Tensor, target: Tensor) -> Tensor:
        """Return the weighted term of the generator's loss; the discriminator gets no gradients."""
        kind = self.settings.kind
        frozen = {k: v.detach() for k, v in self.discriminator.named_parameters()}
        with autocast(self.device, self.precision):
            logits = [
                functional_call(self.discriminator, frozen, (_slices(images),)).float()
                for images in ([restored] if kind == "standard" else [restored, target])
            ]
        return self.settings.weight * generator_term(kind, logits[0], logits[-1], self.group)

    def update(self, restored: Tensor, target: Tensor, rate_factor: float) -> Tensor:
        """Update the discriminator once and return its loss."""
        self.optimiser.param_groups[0]["lr"] = rate_factor * self.settings.learning_rate
        both = in_best_order(_slices(torch.cat([restored, target])))
        with autocast(self.device, self.precision):
            logits = self.parallel_discriminator(both)
        of_restored, of_target = logits.float().chunk(2)
        loss = discriminator_term(self.settings.kind, of_restored, of_target, self.group)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        return loss

    def state(self) -> dict[str, Any]:
        """Return all that its part in the training depends on."""
        return {
            "balance": self.balance.state(),
            "discriminator": self.discriminator.state_dict(),
            "discriminator_optimiser": self.optimiser.state_dict(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Load a saved state."""
        self.balance.load(state["balance"])
        self.discriminator.load_state_dict(state["discriminator"])
        load_optimiser(self.optimiser, state["discriminator_optimiser"])


def autocast(device: torch.device, precision: torch.dtype) -> torch.autocast:
    """Compute convolutions in this type; float32 changes nothing."""
    return torch.autocast(device.type, precision, precision != torch.float32)


def _slices(images: Tensor) -> Tensor:
    """Return volumes as a batch of their slices; a discriminator sees each by itself."""
    return images if images.ndim == 4 else images.transpose(1, 2).flatten(0, 1)
