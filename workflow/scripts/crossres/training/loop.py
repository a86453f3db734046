"""The training loop, one for all networks, with and without a discriminator."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from crossres.catalogue.networks import Network
from crossres.jobs import InputError, logger, progress
from crossres.networks import is_out_of_memory, last_convolution, precision_of
from crossres.patches import TargetNoise
from crossres.training.adversary import Adversary, autocast
from crossres.training.batches import ANY_CROP, Foreground, Images, Sampling, batches_ahead
from crossres.training.checkpoints import load_state, save_state
from crossres.training.losses import FIDELITY
from crossres.training.optimisers import load_optimiser, prepare
from crossres.training.process_group import ProcessGroup
from crossres.training.running_losses import RunningLosses
from crossres.training.schedules import rate_factor
from crossres.training.selection import Best, Validation

CHECK_EVERY = 25
"""Iterations between two checks that the losses are finite: each makes a GPU wait."""

ASTRAY = 100.0
"""A validation MSE of more than this times the targets' variance counts as divergence."""


@dataclass(frozen=True)
class TrainingData:
    """Normalised patches to train on, and whole fields to validate on.

    Parameters
    ----------
    train_inputs, train_targets
        (N, [Z,] Y, X) float32. They may be memory maps: only what a batch needs is read.
    validation_inputs, validation_targets
        Fields, ([Z,] Y, X) float32 each, of any size.
    noise
        Of the targets' camera; None where it is not known.
    """

    train_inputs: Images
    train_targets: Images
    validation_inputs: Images
    validation_targets: Images
    noise: TargetNoise | None = None


class Diverged(InputError):
    """A loss is not finite, or the validation error is huge; ``weights`` are the best before."""

    def __init__(self, message: str, weights: dict[str, Tensor]) -> None:
        super().__init__(message)
        self.weights = weights


def train(
    network: nn.Module,
    data: TrainingData,
    settings: Network,
    seed: int,
    device: torch.device,
    state_path: Path,
    stamp: str,
    group: ProcessGroup | None = None,
    fine_tuned: bool = False,
    foreground: Foreground = ANY_CROP,
) -> tuple[dict[str, Tensor], pd.DataFrame]:
    """Train a network and return the weights with the best validation score.

    Each iteration updates the generator once and, with ``settings.adversarial``, then the
    discriminator once. If it is killed, the same call resumes from ``state_path``; on a CPU with
    the same number of threads it ends with the same weights, bit for bit.

    Parameters
    ----------
    network
        Freshly built or to be fine-tuned, (N, 1, [Z,] Y, X) to the same.
    data
        Patches and validation fields.
    settings
        How it is trained.
    seed
        Of the batches and of the discriminator's weights.
    device
        Where to compute.
    state_path
        Side file for resuming.
    stamp
        Hash of configuration, code and data, see :func:`crossres.training.checkpoints.load_state`.
    group
        The processes that share this training; rank 0 validates and saves.
    fine_tuned
        The network is already trained: it is kept unchanged unless training improves it.
    foreground
        Crops that do not show it are redrawn.

    Returns
    -------
    weights : dict of Tensor
        On the CPU.
    history : DataFrame
        A row per validation, of which ``kept`` marks the one whose weights are returned; iteration
        0 is before the first step. Both are empty on all ranks but 0.

    Raises
    ------
    Diverged
        A loss is not finite, or the validation error is huge. It carries the best weights so far;
        the side file keeps the last good state.
    InputError
        A batch does not fit into the memory.
    """
    group = group or ProcessGroup()
    # patches have one size, so that searching for the fastest convolution pays
    torch.backends.cudnn.benchmark = True
    run = _Run(network, data, settings, seed, device, group, fine_tuned, foreground)
    state = load_state(state_path, stamp)
    if state is not None:
        run.load(state)
        logger.info("resuming at iteration %d of %d", run.iteration, settings.iterations)
    else:
        run.validate()
    batches = batches_ahead(
        data.train_inputs,
        data.train_targets,
        run.sampling,
        run.iteration,
        settings.iterations,
        device,
        group,
    )
    shown = progress(batches, "training", settings.iterations, run.iteration)
    for x, y in shown if group.rank == 0 else batches:
        try:
            run.step(x, y)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise InputError(run.too_large(x)) from error
        last = run.iteration == settings.iterations
        if run.iteration % CHECK_EVERY == 0 or last:
            run.require_finite()
        if run.iteration % settings.validate_every == 0 or last:
            run.require_finite()
            run.validate()
            if group.rank == 0:
                save_state(state_path, stamp, run.state())
            group.barrier()
    if group.rank > 0:
        return {}, pd.DataFrame()
    history = pd.DataFrame(run.history)
    history["kept"] = history.iteration == run.best.iteration
    return run.best.weights, history


class _Run:
    """All that changes while a network trains, so that it can be saved and loaded."""

    def __init__(
        self,
        network: nn.Module,
        data: TrainingData,
        settings: Network,
        seed: int,
        device: torch.device,
        group: ProcessGroup,
        fine_tuned: bool,
        foreground: Foreground,
    ) -> None:
        self.settings, self.device, self.group = settings, device, group
        self.fine_tuned = fine_tuned
        self.sampling = Sampling(
            settings.batch,
            settings.augment,
            seed,
            settings.crop_px,
            foreground,
        )
        self.precision = precision_of(settings.precision, device)
        self.generator, self.optimiser = prepare(
            network, settings.learning_rate, settings.betas, device
        )
        self.generator = group.synchronise_batch_norm(self.generator)
        if settings.compile and settings.adversarial:
            # the gradients are looked at before they are applied: the graph is gone through twice
            torch._functorch.config.donated_buffer = False
        compiled: Any = torch.compile(self.generator) if settings.compile else self.generator
        self.parallel_generator = group.data_parallel(compiled)
        self.adversary: Adversary | None = None
        if settings.adversarial:
            self.adversary = Adversary(
                settings.adversarial,
                settings.betas,
                seed,
                device,
                self.precision,
                group,
                data.noise,
            )
        self.iteration = 0
        self.losses = RunningLosses(device)
        self.history: list[dict[str, Any]] = []
        self.best = Best()
        if group.rank == 0:
            self.validation = Validation(
                data.validation_inputs,
                data.validation_targets,
                settings.loss,
                self.adversary is not None,
                device,
                self.precision == torch.bfloat16,
            )

    def _adversary_at(self, iteration: int) -> Adversary | None:
        """Return the adversary if the generator meets it in this iteration."""
        if self.adversary and iteration >= self.adversary.joins_at:
            return self.adversary
        return None

    def _discriminator_alone(self, x: Tensor, y: Tensor, factor: float) -> bool:
        """Update the discriminator beside a generator that waits, in its iterations alone."""
        adversary = self.adversary
        if adversary is None or not (
            adversary.settings.warm_up_iterations <= self.iteration < adversary.joins_at
        ):
            return False
        with torch.no_grad(), autocast(self.device, self.precision):
            restored = self.generator(x).float()
        loss = adversary.update(restored, y, factor, self.iteration)
        self.iteration += 1
        self.losses.add(self.iteration, {"discriminator_loss": loss})
        return True

    def step(self, x: Tensor, y: Tensor) -> None:
        """Update the generator once and, after the warm-up, the discriminator once."""
        factor = rate_factor(self.settings, self.iteration)
        if self._discriminator_alone(x, y, factor):
            return
        self.optimiser.param_groups[0]["lr"] = factor * self.settings.learning_rate
        with autocast(self.device, self.precision):
            restored = self.parallel_generator(x)
        restored = restored.float()
        shares = self.adversary.balance.shares if self.adversary else {}
        unweighted = {
            name: FIDELITY[name](restored, y)
            for name in dict.fromkeys([*self.settings.loss, *shares])
        }
        terms = self._update_generator(restored, y, unweighted)
        adversary = self._adversary_at(self.iteration)
        if adversary:
            terms["discriminator_loss"] = adversary.update(
                restored.detach(), y, factor, self.iteration
            )
        self.iteration += 1
        self.losses.add(self.iteration, terms)

    def _update_generator(
        self, restored: Tensor, y: Tensor, unweighted: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        weights: dict[str, Any] = {k: w for k, w in self.settings.loss.items() if w > 0}
        parts: dict[str, Tensor] = {}
        scale: Any = 1.0
        balanced: Mapping[str, Tensor] = {}
        if self.adversary:
            self.adversary.balance.update(self.group.means(unweighted))
        adversary = self._adversary_at(self.iteration)
        if adversary:
            balanced = adversary.balance.weights()
            weights = {**balanced} or weights
            parts["adversarial"] = adversary.term(restored, y, self.iteration)
            # Divided by the sum of the balanced weights, the loss keeps the scale of the warm-up.
            # Adam does not depend on the scale of a loss, but a jump of it by lambda, some
            # thousands, throws the weights far off until its running variances have followed.
            scale = sum(balanced.values()) if balanced else 1.0
        parts |= {name: weight * unweighted[name] for name, weight in weights.items()}
        gradients = self._balance_gradients(restored, parts) if adversary else {}
        loss = torch.stack(list(parts.values())).sum()
        self.optimiser.zero_grad(set_to_none=True)
        (loss / scale).backward()
        self.optimiser.step()
        terms = {"generator_loss": loss, **unweighted}
        terms |= {f"weight_{name}": weight for name, weight in balanced.items()}
        terms |= gradients
        return terms | {f"{name}_share": part / loss for name, part in parts.items()}

    def _balance_gradients(self, restored: Tensor, parts: dict[str, Tensor]) -> dict[str, Tensor]:
        """Weigh the adversarial part, if its share of the gradient is set, and return that share.

        It is the share of the norms of both gradients at the last convolution. Where the share of
        the loss is set instead, it is looked at in some iterations only: it costs a pass through
        the discriminator.
        """
        assert self.adversary is not None
        balance = self.adversary.gradient_balance
        if balance is None and self.iteration % CHECK_EVERY:
            return {}
        fidelity = torch.stack([p for name, p in parts.items() if name != "adversarial"]).sum()
        weight = last_convolution(self.generator).weight
        norms = self.group.means({
            name: torch.autograd.grad(part, weight, retain_graph=True)[0].norm()
            for name, part in (("fidelity", fidelity), ("adversarial", parts["adversarial"]))
        })  # fmt: skip
        found = {}
        if balance is not None:
            factor = balance.weight(norms["fidelity"], norms["adversarial"])
            parts["adversarial"] = factor * parts["adversarial"]
            norms["adversarial"] = factor * norms["adversarial"]
            found["weight_adversarial"] = factor
        total = (norms["fidelity"] + norms["adversarial"]).clamp_min(1e-12)
        return found | {"adversarial_part_of_gradient": norms["adversarial"] / total}

    def require_finite(self) -> None:
        """Stop a training whose losses are not finite, saying where and what they were before."""
        at = self.losses.first_not_finite(self.group)
        if at is None:
            return
        raise Diverged(
            f"training left the finite numbers at iteration {at} (just before: "
            f"{self.losses.last_finite()}); {self.best}; try a lower learning_rate than "
            f"{self.settings.learning_rate:g}, a rate_warm_up_iterations, or precision: float32",
            self.best.weights,
        )

    def validate(self) -> None:
        """Add a row to the history and keep the weights if they are the best so far.

        Weights of the warm-up are no candidates, as they have not met the discriminator. Those
        before the first step are candidates if the model is fine-tuned.
        """
        means = self.losses.means(self.group)
        if self.group.rank > 0:
            return
        scores = self.validation.scores(self.generator)
        row = {"iteration": self.iteration, **means, **scores}
        if self.adversary:
            row["discriminator_equilibrium"] = self.adversary.equilibrium
        self.history.append(row)
        if not scores["validation_relative_mse"] < ASTRAY and self.iteration > 0:
            raise Diverged(
                f"training went astray before iteration {self.iteration}: the validation MSE is "
                f"{scores['validation_relative_mse']:.3g} times the variance of the targets "
                f"({self.losses.last_finite()}); {self.best}; try a lower learning_rate than "
                f"{self.settings.learning_rate:g} or a rate_warm_up_iterations",
                self.best.weights,
            )
        if self.iteration == 0:
            candidate = self.fine_tuned
        else:  # the last update was that of the iteration before
            met = self._adversary_at(self.iteration - 1)
            candidate = met is not None or self.adversary is None
        if candidate:
            self.best.consider(scores["validation_score"], self.iteration, self.generator)

    def too_large(self, x: Tensor) -> str:
        """Return what to say if a batch does not fit into the memory."""
        size = " x ".join(map(str, x.shape[2:]))
        saved = self.history[-1]["iteration"] if self.history else 0
        kept = f"; the state of iteration {saved} is kept" if saved else ""
        return (
            f"the memory of the {'GPU' if self.device.type == 'cuda' else 'machine'} does not "
            f"suffice for a batch of {len(x)} patches of {size} px; lower batch, or crop_px, or "
            f"share the batch with gpus_per_training{kept}"
        )

    def state(self) -> dict[str, Any]:
        """Return all that the rest of the training depends on.

        Learning rates and batches are functions of seed and iteration, and nothing else is random:
        there is no state of a random generator to save.
        """
        return {
            "iteration": self.iteration,
            "generator": self.generator.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "history": self.history,
            "best": self.best.state(),
            **(self.adversary.state() if self.adversary else {}),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Load a saved state."""
        self.generator.load_state_dict(state["generator"])
        load_optimiser(self.optimiser, state["optimiser"])
        if self.adversary:
            self.adversary.load(state)
        self.iteration = state["iteration"]
        self.history = list(state["history"])
        self.best = Best(**state["best"])
