"""What train.smk takes."""

from pathlib import Path
from typing import Any, ClassVar

from crossres.catalogue.networks import module_of
from crossres.experiments import InitialModel, Layout, code_hash, initial_model
from crossres.planning.stage import Function, Stage, Wildcards

GPU_DEVICES = ("/dev/nvidia0", "/dev/dxg", "/dev/kfd")
"""Where Linux, its guest in Windows, and AMD's driver show a GPU."""


def has_gpu() -> bool:
    """Whether this machine seems to have a GPU; torch knows better, and takes seconds to ask."""
    return any(Path(device).exists() for device in GPU_DEVICES)


class Training(Stage):
    """Patches, models and their packages."""

    patches: ClassVar = {
        split: Layout.fill(Layout.patches, split=split) for split in ("train", "validation")
    }

    def network(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return the settings of one network, but for what concerns no single training.

        How many seeds are trained changes none of them; the model to begin from is an input.
        """
        settings = self.experiment(wildcards).networks[wildcards.network].as_params()
        return {**settings, "seeds": (int(wildcards.seed),), "initialise_from": None}

    def threads(self, cores: int | None, whole_machine: int) -> int:
        """Return how many threads a training takes.

        With a GPU the whole machine, so that two never share the card. Without one, each its part:
        small networks gain little from a second thread, and two trainings of one thread each make
        half as many steps again as one after the other with two.

        Parameters
        ----------
        cores
            That Snakemake may use; None where each job has a machine of its own.
        whole_machine
            More threads than any machine has.
        """
        if cores is None or (self.config.device != "cpu" and has_gpu()):
            return whole_machine
        trainings = sum(
            len(experiment.channels) * len(network.seeds)
            for experiment in self.experiments.values()
            for network in experiment.networks.values()
        )
        return max(1, cores // max(1, trainings))

    def initial(self, wildcards: Wildcards) -> list[str]:
        """Return the model of another experiment that a training begins from, if any."""
        found = initial_model(
            self.experiments,
            wildcards.experiment,
            wildcards.channel,
            wildcards.network,
            int(wildcards.seed),
        )
        if isinstance(found, InitialModel):
            return [Layout.fill(Layout.model, **vars(found))]
        return [] if found is None else [str(found)]

    def foreground(self, wildcards: Wildcards) -> dict[str, float]:
        """Return what shows something in a patch."""
        patches = self.experiment(wildcards).settings.patches
        return {"level": patches.foreground_level, "fraction": patches.foreground_fraction}

    def origin(self, wildcards: Wildcards) -> dict[str, str]:
        """Return what a model file says of where it comes from."""
        origin: dict[str, str] = self.provenance("train_network.py", module_of(wildcards.network))(
            wildcards
        )
        return origin

    def code(self, script: str) -> Function:
        """Return a params function for the hash of a script and of what builds the network."""
        return lambda wildcards: code_hash(script, module_of(wildcards.network))
