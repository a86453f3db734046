"""The training loop, one for networks with and without a discriminator."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from crossres.jobs import InputError, logger, progress
from crossres.networks import PatchDiscriminator
from crossres.networks.files import clone_weights
from crossres.training.batches import draw_batch
from crossres.training.checkpoints import load_state, save_state
from crossres.training.losses import Balance, adversarial_loss, discriminator_loss, log_ssim_loss
from crossres.training.selection import is_finite, validate


@dataclass(frozen=True)
class TrainingData:
    """Normalised patches, (N, Y, X) float32, of the training and the validation fields."""

    train_inputs: np.ndarray
    train_targets: np.ndarray
    validation_inputs: np.ndarray
    validation_targets: np.ndarray


def train(
    network: nn.Module,
    data: TrainingData,
    settings: Mapping[str, Any],
    seed: int,
    device: torch.device,
    state_path: Path,
    stamp: str,
) -> tuple[dict[str, Tensor], pd.DataFrame]:
    """Train a network and return the weights that validated best.

    With ``settings["adversarial"]`` the loss is Wang 2019, eq. 1, generator and discriminator
    each updated once an iteration; without, it is the mean square error. Killed at any moment,
    the same call goes on from ``state_path`` and, on the CPU with as many threads, ends with
    the same weights bit for bit.

    Parameters
    ----------
    network
        Freshly built, (N, 1, Y, X) to the same.
    data
        Patches.
    settings
        ``iterations``, ``batch``, ``learning_rate``, ``schedule`` (constant or cosine),
        ``augment``, ``validate_every``, and ``adversarial`` (None, or ``learning_rate``,
        ``width``, ``downsample``, ``warm_up_iterations``, ``mse_share``, ``ssim_share``).
    seed
        Of the batches and of the discriminator's weights.
    device
        Where to compute.
    state_path
        Side file for resuming.
    stamp
        Hash of configuration, code and data, see :func:`crossres.training.checkpoints.load_state`.

    Returns
    -------
    weights : dict of Tensor
        On the CPU.
    history : DataFrame
        A row per validation, ``kept`` marking the one whose weights are returned.

    Raises
    ------
    InputError
        The loss is no longer a finite number.
    """
    run = _Run(network, data, settings, seed, device)
    state = load_state(state_path, stamp)
    if state is not None:
        run.restore(state)
        logger.info("resumed at iteration %d of %d", run.iteration, settings["iterations"])
    todo = range(run.iteration, settings["iterations"])
    for iteration in progress(todo, "training", total=settings["iterations"], start=run.iteration):
        run.step(iteration)
        if (
            run.iteration % settings["validate_every"] == 0
            or run.iteration == settings["iterations"]
        ):
            run.validate()
            save_state(state_path, stamp, run.state())
    history = pd.DataFrame(run.history)
    history["kept"] = history.iteration == run.best_iteration
    return run.best_weights, history


def place(network: nn.Module, device: torch.device) -> nn.Module:
    """Move a network to a device, its weights in the order that 2D convolutions like best."""
    return network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


class _Run:
    """Everything that changes while a network trains, so that it can be saved and restored."""

    def __init__(
        self,
        network: nn.Module,
        data: TrainingData,
        settings: Mapping[str, Any],
        seed: int,
        device: torch.device,
    ) -> None:
        self.data, self.settings, self.seed, self.device = data, settings, seed, device
        self.adversarial: Mapping[str, Any] = settings.get("adversarial") or {}
        self.generator = place(network, device).train()
        self.optimiser = torch.optim.Adam(network.parameters(), lr=settings["learning_rate"])
        if self.adversarial:
            torch.manual_seed(seed + 1)
            self.discriminator = place(
                PatchDiscriminator(self.adversarial["width"], self.adversarial["downsample"]),
                device,
            )
            self.discriminator_optimiser = torch.optim.Adam(
                self.discriminator.parameters(), lr=self.adversarial["learning_rate"]
            )
            self.balance = Balance(
                {"mse": self.adversarial["mse_share"], "ssim": self.adversarial["ssim_share"]}
            )
        self.iteration = 0
        self.terms: dict[str, list[float]] = {}
        self.history: list[dict[str, Any]] = []
        self.best_score, self.best_iteration = math.inf, -1
        self.best_weights: dict[str, Tensor] = {}

    def step(self, iteration: int) -> None:
        """Update the generator once and, beyond the warm-up, the discriminator once."""
        rate = self.settings["learning_rate"]
        if self.settings["schedule"] == "cosine":
            rate *= 0.5 * (1 + math.cos(math.pi * iteration / self.settings["iterations"]))
        self.optimiser.param_groups[0]["lr"] = rate
        x, y = draw_batch(
            self.data.train_inputs,
            self.data.train_targets,
            self.settings["batch"],
            self.settings["augment"],
            self.seed,
            iteration,
        )
        x, y = (
            t.to(self.device, memory_format=torch.channels_last, non_blocking=True) for t in (x, y)
        )
        warm = not self.adversarial or iteration < self.adversarial["warm_up_iterations"]
        terms = self._plain_step(x, y) if warm else self._adversarial_step(x, y)
        if not all(is_finite(value) for value in terms.values()):
            raise InputError(
                f"training left the finite numbers at iteration {iteration} ({terms}); the state "
                f"before it is kept: try a lower networks.<name>.learning_rate than {rate:g}"
            )
        for name, value in terms.items():
            self.terms.setdefault(name, []).append(value)
        self.iteration = iteration + 1

    def _plain_step(self, x: Tensor, y: Tensor) -> dict[str, float]:
        loss = F.mse_loss(self.generator(x), y)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        value = loss.item()
        if self.adversarial:
            self.balance.update({"mse": value})
        return {"generator_loss": value, "mse": value, "mse_share": 1.0}

    def _adversarial_step(self, x: Tensor, y: Tensor) -> dict[str, float]:
        restored = self.generator(x)
        self.discriminator.requires_grad_(False)
        bare = {
            "adversarial": adversarial_loss(self.discriminator(restored)),
            "mse": F.mse_loss(restored, y),
        }
        if self.balance.shares["ssim"] > 0:
            bare["ssim"] = log_ssim_loss(restored, y)
        weighed = [name for name in bare if name != "adversarial"]
        values = {name: term.item() for name, term in bare.items()}
        self.balance.update({name: value for name, value in values.items() if name in weighed})
        weights = {name: self.balance.weight(name) for name in weighed}
        loss = bare["adversarial"] + sum(weights[name] * bare[name] for name in weights)
        self.optimiser.zero_grad(set_to_none=True)
        # Divided by lambda the loss has the scale of the warm-up's. Adam does not mind the scale
        # of a loss, but a jump of it by lambda, some thousands, throws the weights far off before
        # its running variances have followed.
        (loss / (weights["mse"] or 1.0)).backward()
        self.optimiser.step()

        self.discriminator.requires_grad_(True)
        judged = discriminator_loss(self.discriminator(y), self.discriminator(restored.detach()))
        self.discriminator_optimiser.zero_grad(set_to_none=True)
        judged.backward()
        self.discriminator_optimiser.step()
        total = loss.item()
        return {
            "generator_loss": total,
            "discriminator_loss": judged.item(),
            "mse": values["mse"],
            "lambda_mse": weights["mse"],
            "adversarial_share": values["adversarial"] / total,
            **{f"{name}_share": weights[name] * values[name] / total for name in weights},
        }

    def validate(self) -> None:
        """Add a row to the history and keep the weights if they are the best so far.

        Weights of the warm-up are no candidates: they have not met the discriminator.
        """
        scores = validate(
            self.generator,
            self.data.validation_inputs,
            self.data.validation_targets,
            bool(self.adversarial),
            self.device,
        )
        # a term that joined in since the last validation counts from where it did
        means = {name: sum(values) / len(values) for name, values in self.terms.items()}
        self.history.append({"iteration": self.iteration, **means, **scores})
        self.terms = {}
        candidate = not self.adversarial or self.iteration > self.adversarial["warm_up_iterations"]
        if candidate and scores["validation_score"] < self.best_score:
            self.best_score = scores["validation_score"]
            self.best_iteration = self.iteration
            self.best_weights = clone_weights(self.generator)

    def state(self) -> dict[str, Any]:
        """Return all that the rest of the training depends on."""
        state: dict[str, Any] = {
            "iteration": self.iteration,
            "generator": self.generator.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "history": self.history,
            "best_score": self.best_score,
            "best_iteration": self.best_iteration,
            "best_weights": self.best_weights,
        }
        if self.adversarial:
            state["discriminator"] = self.discriminator.state_dict()
            state["discriminator_optimiser"] = self.discriminator_optimiser.state_dict()
            state["balance"] = [self.balance.means, self.balance.lowest]
        return state

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up a saved state."""
        self.generator.load_state_dict(state["generator"])
        self.optimiser.load_state_dict(state["optimiser"])
        if self.adversarial:
            self.discriminator.load_state_dict(state["discriminator"])
            self.discriminator_optimiser.load_state_dict(state["discriminator_optimiser"])
            self.balance.means, self.balance.lowest = map(dict, state["balance"])
        self.iteration = state["iteration"]
        self.history = list(state["history"])
        self.best_score = state["best_score"]
        self.best_iteration = state["best_iteration"]
        self.best_weights = dict(state["best_weights"])
