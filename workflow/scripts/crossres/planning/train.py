"""What train.smk takes."""

from typing import Any, ClassVar

from crossres.catalogue.networks import module_of
from crossres.experiments import InitialModel, Layout, code_hash, initial_model
from crossres.planning.stage import Function, Stage, Wildcards


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
