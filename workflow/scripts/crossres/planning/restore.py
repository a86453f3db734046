"""What restore.smk takes."""

from typing import Any

from crossres.catalogue.networks import module_of
from crossres.experiments import Layout, Restoration, code_hash
from crossres.planning.stage import Stage, Wildcards


class Restoring(Stage):
    """Fields of the blind test restored, by networks and by classical methods."""

    splits = ("test", "apply")

    def restoration(self, wildcards: Wildcards) -> Restoration:
        """Return the restoration of a job."""
        return self.experiment(wildcards).restoration(wildcards.restoration)

    def models(self, wildcards: Wildcards) -> list[str]:
        """Return the models that restore."""
        return Layout.models(self.restoration(wildcards))

    def code(self, wildcards: Wildcards) -> str:
        """Return the hash of what restores, and of what builds the network."""
        modules = map(module_of, self.restoration(wildcards).networks)
        return code_hash("restore_fields.py", *modules)

    def share(self, wildcards: Wildcards) -> float | None:
        """Return the share of the first model in the mean of several; None where all are alike."""
        return self.restoration(wildcards).share

    def microscope(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return the input's microscope, whose blur is undone."""
        return self.modalities(wildcards).input.as_params()

    def method(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return the settings of a classical method."""
        return self.experiment(wildcards).baselines[wildcards.method].as_params()
