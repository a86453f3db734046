"""What is trained and how, from its first weights to the description of the model."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from crossres.catalogue.networks import Network
from crossres.jobs import InputError, logger
from crossres.networks import ImageNetwork, ModelFile, build, initial_weights, takes_pooling
from crossres.patches import PatchSet
from crossres.training.batches import Foreground
from crossres.training.checkpoints import stamp_of


@dataclass(frozen=True)
class Recipe:
    """One network, trained with one seed.

    Parameters
    ----------
    network
        Its name in the catalogue.
    settings
        Of this network in the experiment.
    foreground
        Crops that do not show it are redrawn.
    dims
        2 for images, 3 for volumes.
    seed
        Of the weights and of the batches.
    """

    network: str
    settings: Network
    foreground: Foreground
    dims: int
    seed: int

    def architecture(self, patch_px: tuple[int, ...]) -> dict[str, Any]:
        """Return the settings that the network is built with.

        Parameters
        ----------
        patch_px
            ([Z,] Y, X) of the patches. Attention pools over what is trained on: all slices of a
            patch, and in y and x the crop, or the patch.
        """
        architecture = self.settings.architecture
        if takes_pooling(self.network):
            side_px = self.settings.crop_px or patch_px[-1]
            architecture["pooling_px"] = (*patch_px[:-2], side_px, side_px)
        return architecture

    def build(self, patch_px: tuple[int, ...], initial: Path | None = None) -> ImageNetwork:
        """Return the network with random weights, or with those of a model to be fine-tuned.

        Raises
        ------
        InputError
            The model cannot be read, or its architecture is another one.
        """
        architecture = self.architecture(patch_px)
        torch.manual_seed(self.seed)
        network = build(self.network, self.dims, **architecture)
        if initial is not None:
            weights = initial_weights(initial, self.network, self.dims, architecture)
            network.load_state_dict(weights)
        return network

    def require_shared_evenly(self, world_size: int) -> None:
        """Refuse a batch that so many processes cannot share evenly."""
        if self.settings.batch % world_size:
            raise InputError(
                f"networks.{self.network}.batch is {self.settings.batch}, which {world_size} GPUs "
                f"cannot share evenly; make it a multiple of gpus_per_training ({world_size})"
            )

    def stamp(self, world_size: int, code: str, files: Iterable[Path]) -> str:
        """Return a hash of all that the weights depend on.

        The seeds that are trained beside this one are not among it.

        Parameters
        ----------
        world_size
            Number of processes that share each batch.
        code
            Hash of the code.
        files
            Patches, and the model to be fine-tuned.
        """
        settings = self.settings.as_params()
        del settings["seeds"]
        facts = [self.network, settings, self.foreground, self.dims, self.seed, world_size, code]
        return stamp_of(facts, files)

    def model_file(self, patches: PatchSet, facts: Mapping[str, Any]) -> ModelFile:
        """Return the description of the trained model.

        Parameters
        ----------
        patches
            What it is trained on.
        facts
            About the training, JSON values only.
        """
        return ModelFile(
            network=self.network,
            settings=self.architecture(patches.inputs[0].shape),
            dims=self.dims,
            input_scale=patches.scales["input"],
            target_scale=patches.scales["target"],
            pixel_size_nm=patches.pixel_size_nm,
            percentiles_per_image=patches.percentiles_per_image,
            z_step_nm=patches.z_step_nm,
            trained={**facts, "seed": self.seed, "patches": len(patches.inputs)},
            background=patches.background,
            input_pixel_size_nm=patches.input_pixel_size_nm,
            interpolation_order=patches.interpolation_order,
        )


def facts_of(history: pd.DataFrame) -> dict[str, Any]:
    """Return the iteration that was kept and its error, and log them beside the lowest error."""
    kept = history[history.kept].iloc[0]
    lowest = history.loc[history.validation_mse.idxmin()]
    logger.info(
        "kept iteration %d (score %.4g, MSE %.4g); the lowest MSE was %.4g at iteration %d",
        kept.iteration,
        kept.validation_score,
        kept.validation_mse,
        lowest.validation_mse,
        lowest.iteration,
    )
    return {"kept_iteration": int(kept.iteration), "validation_mse": float(kept.validation_mse)}
