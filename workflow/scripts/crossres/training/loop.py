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
from crossres.networks import gpu_failure, is_out_of_memory
from crossres.patches import TargetNoise
from crossres.training.batches import ANY_CROP, Foreground, Images, Sampling
from crossres.training.batches_ahead import batches_ahead
from crossres.training.checkpoints import load_state, save_state
from crossres.training.process_group import ProcessGroup
from crossres.training.running_losses import RunningLosses
from crossres.training.selection import Best, Validation
from crossres.training.step import CHECK_EVERY, Step

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
            raise run.understood(error, x) from error
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
        count, side = settings.batch // group.world_size, settings.crop_px
        patch = data.train_inputs[0].shape if len(data.train_inputs) else ()
        shape = (count, 1, *patch[:-2], *((side, side) if side else patch[-2:]))
        self.updates = Step(network, settings, seed, device, group, data.noise, shape)
        self.iteration = 0
        self.losses = RunningLosses(device)
        self.history: list[dict[str, Any]] = []
        self.best = Best()
        if group.rank == 0:
            self.validation = Validation(
                data.validation_inputs,
                data.validation_targets,
                settings.loss,
                settings.adversarial is not None,
                device,
                self.updates.precision == torch.bfloat16,
            )

    def step(self, x: Tensor, y: Tensor) -> None:
        """Do one iteration."""
        names, values = self.updates.run(x, y, self.iteration)
        self.iteration += 1
        self.losses.add(self.iteration, names, values)

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
        scores = self.validation.scores(self.updates.generator)
        row = {"iteration": self.iteration, **means, **scores}
        if self.updates.adversary:
            row["discriminator_equilibrium"] = self.updates.adversary.equilibrium
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
            alone = self.updates.adversary is None
            candidate = alone or self.updates.meets_adversary(self.iteration - 1)
        if candidate:
            generator = self.updates.generator
            self.best.consider(scores["validation_score"], self.iteration, generator)

    def understood(self, error: Exception, x: Tensor) -> Exception:
        """Return an error that says what to do, where a step's error has a known cause."""
        saved = self.history[-1]["iteration"] if self.history else 0
        kept = f"; the state of iteration {saved} is kept" if saved else ""
        if failure := gpu_failure(error):
            return InputError(
                f"the GPU failed at iteration {self.iteration} ({failure}){kept}: run the same "
                "command again to go on from it, and look at the card's log if it fails again"
            )
        if not is_out_of_memory(error):
            return error
        size = " x ".join(map(str, x.shape[2:]))
        return InputError(
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
            **self.updates.state(),
            "history": self.history,
            "best": self.best.state(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Load a saved state."""
        self.updates.load(state)
        self.iteration = state["iteration"]
        self.history = list(state["history"])
        self.best = Best(**state["best"])
