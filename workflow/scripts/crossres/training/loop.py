"""The training loop, one for all networks, with and without a discriminator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.func import functional_call

from crossres.jobs import InputError, logger, progress
from crossres.networks import PatchDiscriminator, is_out_of_memory, precision_of
from crossres.training.balance import Balance
from crossres.training.batches import Sampling, batches_ahead, in_best_order
from crossres.training.checkpoints import load_state, save_state
from crossres.training.losses import (
    FIDELITY,
    discriminator_term,
    equilibrium,
    generator_term,
)
from crossres.training.optimisers import prepare, take_up
from crossres.training.record import Record
from crossres.training.schedules import rate_factor
from crossres.training.selection import Best, Validation
from crossres.training.team import Team

LOOK_EVERY = 25
"""Iterations between two looks at whether the losses are finite: each look makes a GPU wait."""

JUDGE = ("width", "blocks", "leading_convolution", "fully_connected", "downsample")
"""Settings of ``adversarial`` that the discriminator is built from."""

ASTRAY = 100.0
"""A validation MSE above so many times the targets' variance is called a divergence."""


@dataclass(frozen=True)
class TrainingData:
    """Normalised patches to train on, and whole fields to validate on.

    Parameters
    ----------
    train_inputs, train_targets
        (N, [Z,] Y, X) float32.
    validation_inputs, validation_targets
        Fields, ([Z,] Y, X) float32 each, of any sizes.
    """

    train_inputs: np.ndarray
    train_targets: np.ndarray
    validation_inputs: Sequence[np.ndarray]
    validation_targets: Sequence[np.ndarray]


class Diverged(InputError):
    """Training left the finite numbers, or all measure; ``weights`` are the best before."""

    def __init__(self, message: str, weights: dict[str, Tensor]) -> None:
        super().__init__(message)
        self.weights = weights


def train(
    network: nn.Module,
    data: TrainingData,
    settings: Mapping[str, Any],
    seed: int,
    device: torch.device,
    state_path: Path,
    stamp: str,
    team: Team | None = None,
    fine_tuned: bool = False,
) -> tuple[dict[str, Tensor], pd.DataFrame]:
    """Train a network and return the weights that validated best.

    One loop for all: the generator is updated once an iteration and, with
    ``settings["adversarial"]``, the discriminator once after it. Killed at any moment, the same
    call goes on from ``state_path`` and, on the CPU with as many threads, ends with the same
    weights bit for bit.

    Parameters
    ----------
    network
        Freshly built or to be fine-tuned, (N, 1, [Z,] Y, X) to the same.
    data
        Patches and validation fields.
    settings
        Of a network in the configuration, all keys given (config/README.md lists them).
    seed
        Of the batches and of the discriminator's weights.
    device
        Where to compute.
    state_path
        Side file for resuming.
    stamp
        Hash of configuration, code and data, see :func:`crossres.training.checkpoints.load_state`.
    team
        The processes that share this training; the first validates and saves.
    fine_tuned
        The network has been trained before: it is kept as it came where nothing after is better.

    Returns
    -------
    weights : dict of Tensor
        On the CPU.
    history : DataFrame
        A row per validation, ``kept`` marking the one whose weights are returned. Iteration 0 is
        the network before its first step. Both are empty but in the first process of a team.

    Raises
    ------
    Diverged
        A loss is no longer finite, or the validation has left all measure. It carries the best
        weights so far; the side file keeps the last state that was good.
    InputError
        The memory does not suffice for a batch.
    """
    team = team or Team()
    # patches have one size, so that looking for the fastest convolution pays
    torch.backends.cudnn.benchmark = True
    run = _Run(network, data, settings, seed, device, team, fine_tuned)
    state = load_state(state_path, stamp)
    if state is not None:
        run.restore(state)
        logger.info("resuming at iteration %d of %d", run.iteration, settings["iterations"])
    else:
        run.validate()
    batches = batches_ahead(
        data.train_inputs,
        data.train_targets,
        run.sampling,
        run.iteration,
        settings["iterations"],
        device,
        team,
    )
    shown = progress(batches, "training", settings["iterations"], run.iteration)
    for x, y in shown if team.rank == 0 else batches:
        try:
            run.step(x, y)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise InputError(run.too_large(x)) from error
        last = run.iteration == settings["iterations"]
        if run.iteration % LOOK_EVERY == 0 or last:
            run.require_finite()
        if run.iteration % settings["validate_every"] == 0 or last:
            run.require_finite()
            run.validate()
            if team.rank == 0:
                save_state(state_path, stamp, run.state())
            team.wait()
    if team.rank > 0:
        return {}, pd.DataFrame()
    history = pd.DataFrame(run.history)
    history["kept"] = history.iteration == run.best.iteration
    return run.best.weights, history


class _Run:
    """Everything that changes while a network trains, so that it can be saved and restored."""

    def __init__(
        self,
        network: nn.Module,
        data: TrainingData,
        settings: Mapping[str, Any],
        seed: int,
        device: torch.device,
        team: Team,
        fine_tuned: bool,
    ) -> None:
        self.settings, self.device, self.team = settings, device, team
        self.fine_tuned = fine_tuned
        self.adversarial: Mapping[str, Any] = settings["adversarial"] or {}
        crop = {
            key: settings[key] for key in ("crop_px", "foreground_level", "foreground_fraction")
        }
        self.sampling = Sampling(settings["batch"], settings["augment"], seed, **crop)
        self.precision = precision_of(settings["precision"], device)
        self.generator, self.optimiser = prepare(network, settings, device)
        self.generator = team.normalise_together(self.generator)
        compiled: Any = torch.compile(self.generator) if settings["compile"] else self.generator
        self.restoring = self.team.wrap(compiled)
        self.balance = Balance(self.adversarial.get("shares") or {}, device)
        if self.adversarial:
            # the discriminator's chance is not the generator's
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed + 1)
                discriminator = PatchDiscriminator(**{k: self.adversarial[k] for k in JUDGE})
            self.discriminator, self.discriminator_optimiser = prepare(
                discriminator, {**settings, **self.adversarial}, device
            )
            self.judging = self.team.wrap(self.discriminator)
        self.iteration = 0
        self.record = Record(device)
        self.history: list[dict[str, Any]] = []
        self.best = Best()
        if team.rank == 0:
            self.validation = Validation(
                data.validation_inputs,
                data.validation_targets,
                settings["loss"],
                bool(self.adversarial),
                device,
                self.precision == torch.bfloat16,
            )

    @property
    def warm(self) -> bool:
        """Does the generator still learn without the discriminator?"""
        return not self.adversarial or self.iteration < self.adversarial["warm_up_iterations"]

    def step(self, x: Tensor, y: Tensor) -> None:
        """Update the generator once and, beyond the warm-up, the discriminator once."""
        factor = rate_factor(self.settings, self.iteration)
        self.optimiser.param_groups[0]["lr"] = factor * self.settings["learning_rate"]
        with torch.autocast(self.device.type, self.precision, self.precision != torch.float32):
            restored = self.restoring(x)
        restored = restored.float()
        bare = {
            name: FIDELITY[name](restored, y)
            for name in {**self.settings["loss"], **self.balance.shares}
        }
        terms = self._update_generator(restored, y, bare)
        if not self.warm:
            self.discriminator_optimiser.param_groups[0]["lr"] = (
                factor * self.adversarial["learning_rate"]
            )
            terms["discriminator_loss"] = self._update_discriminator(restored.detach(), y)
        self.iteration += 1
        self.record.add(self.iteration, terms)

    def _update_generator(
        self, restored: Tensor, y: Tensor, bare: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        weights: dict[str, Any] = {k: w for k, w in self.settings["loss"].items() if w > 0}
        parts: dict[str, Tensor] = {}
        scale: Any = 1.0
        if self.adversarial:
            self.balance.update(self.team.mean_of(bare))
        if not self.warm:
            kind = self.adversarial["kind"]
            weights = {**self.balance.weights()} or weights
            frozen = {k: v.detach() for k, v in self.discriminator.named_parameters()}
            with torch.autocast(self.device.type, self.precision, self.precision != torch.float32):
                judged = [
                    functional_call(self.discriminator, frozen, (_slices(images),)).float()
                    for images in ([restored] if kind == "standard" else [restored, y])
                ]
            term = generator_term(kind, judged[0], judged[-1], self.team)
            parts["adversarial"] = self.adversarial["weight"] * term
            # Divided by the sum of the balanced weights the loss has the scale of the warm-up's.
            # Adam does not mind the scale of a loss, but a jump of it by lambda, some thousands,
            # throws the weights far off before its running variances have followed.
            scale = sum(weights.values()) if self.balance.shares else 1.0
        parts |= {name: weight * bare[name] for name, weight in weights.items()}
        loss = torch.stack(list(parts.values())).sum()
        self.optimiser.zero_grad(set_to_none=True)
        (loss / scale).backward()
        self.optimiser.step()
        found = {"generator_loss": loss, **bare}
        if self.balance.shares and not self.warm:
            found |= {f"weight_{name}": weight for name, weight in weights.items()}
        return found | {f"{name}_share": part / loss for name, part in parts.items()}

    def _update_discriminator(self, restored: Tensor, y: Tensor) -> Tensor:
        both = in_best_order(_slices(torch.cat([restored, y])))
        with torch.autocast(self.device.type, self.precision, self.precision != torch.float32):
            judged = self.judging(both)
        of_restored, of_target = judged.float().chunk(2)
        loss = discriminator_term(self.adversarial["kind"], of_restored, of_target, self.team)
        self.discriminator_optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.discriminator_optimiser.step()
        return loss

    def require_finite(self) -> None:
        """Stop a training that has left the finite numbers, saying where and how it stood."""
        at = self.record.first_not_finite(self.team)
        if at is None:
            return
        raise Diverged(
            f"training left the finite numbers at iteration {at} (just before: "
            f"{self.record.last_finite()}); {self.best}; try a lower learning_rate than "
            f"{self.settings['learning_rate']:g}, a rate_warm_up_iterations, or precision: float32",
            self.best.weights,
        )

    def validate(self) -> None:
        """Add a row to the history and keep the weights if they are the best so far.

        Weights of the warm-up are no candidates: they have not met the discriminator. Those
        before the first step are candidates where a model is fine-tuned.
        """
        means = self.record.means(self.team)
        if self.team.rank > 0:
            return
        scores = self.validation.scores(self.generator)
        row = {"iteration": self.iteration, **means, **scores}
        if self.adversarial:
            row["discriminator_equilibrium"] = equilibrium(self.adversarial["kind"])
        self.history.append(row)
        if not scores["validation_relative_mse"] < ASTRAY and self.iteration > 0:
            raise Diverged(
                f"training went astray before iteration {self.iteration}: the validation MSE is "
                f"{scores['validation_relative_mse']:.3g} times the variance of the targets "
                f"({self.record.last_finite()}); {self.best}; try a lower learning_rate than "
                f"{self.settings['learning_rate']:g} or a rate_warm_up_iterations",
                self.best.weights,
            )
        tuned = self.iteration == 0 and self.fine_tuned
        met = not self.adversarial or self.iteration > self.adversarial["warm_up_iterations"]
        candidate = tuned or (self.iteration > 0 and met)
        if candidate:
            self.best.consider(scores["validation_score"], self.iteration, self.generator)

    def too_large(self, x: Tensor) -> str:
        """Return what to say where a batch does not fit into the memory."""
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

        Learning rates and batches are functions of seed and iteration, and nothing else is left
        to chance: there is no state of a random generator to save.
        """
        state: dict[str, Any] = {
            "iteration": self.iteration,
            "generator": self.generator.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "history": self.history,
            "best": self.best.state(),
            "balance": self.balance.state(),
        }
        if self.adversarial:
            state["discriminator"] = self.discriminator.state_dict()
            state["discriminator_optimiser"] = self.discriminator_optimiser.state_dict()
        return state

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up a saved state."""
        self.generator.load_state_dict(state["generator"])
        take_up(self.optimiser, state["optimiser"])
        self.balance.restore(state["balance"])
        if self.adversarial:
            self.discriminator.load_state_dict(state["discriminator"])
            take_up(self.discriminator_optimiser, state["discriminator_optimiser"])
        self.iteration = state["iteration"]
        self.history = list(state["history"])
        self.best = Best(**state["best"])


def _slices(images: Tensor) -> Tensor:
    """Return volumes as a batch of their slices, each of which a discriminator judges by itself."""
    return images if images.ndim == 4 else images.transpose(1, 2).flatten(0, 1)
