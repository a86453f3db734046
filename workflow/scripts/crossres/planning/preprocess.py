"""What preprocess.smk takes."""

from crossres.experiments import Layout, Preparation
from crossres.planning.stage import Function, Stage, Wildcards

ROLES = ("input", "target")


class Preparing(Stage):
    """From raw images to inputs on the target's grid, stage by stage."""

    def preparation(self, wildcards: Wildcards, batch: str | None = None) -> Preparation:
        """Return how a batch is prepared."""
        experiment = self.experiment(wildcards)
        return Preparation(experiment, wildcards.channel, batch or wildcards.batch)

    def before(self, stage: str, role: str | None = None) -> Function:
        """Return an input function for the folder of images that a stage takes."""
        return lambda wildcards: Layout.before(
            stage, self.experiment(wildcards), role or wildcards.role
        )

    def made_by(self, stage: str, *roles: str) -> Function:
        """Return a params function for what made these images, which may be gone by now."""
        return lambda wildcards: [
            self.preparation(wildcards).made_by(stage, role) for role in roles or [wildcards.role]
        ]

    def importing(self, key: str) -> Function:
        """Return a params function for a part of what decides the import's result."""
        return lambda wildcards: self.preparation(wildcards).importing(wildcards.role)[key]

    def raw(self, wildcards: Wildcards) -> str | list[str]:
        """Return the simulator's folder; files of a sheet are known by their content instead."""
        return Layout.raw if self.experiment(wildcards).simulated else []

    # Snakemake compares no params that are made of an input: images that were moved, and a row that
    # moved in its sheet, import nothing anew.
    def places(self, wildcards: Wildcards, input: object) -> dict[str, dict[str, str]]:
        """Return where each image lies, and who says so."""
        return self.preparation(wildcards).places(wildcards.role, str(input))

    def names(self, wildcards: Wildcards) -> list[str]:
        """Return the names of a batch's images: its fields, or the tiles of its scenes."""
        return [image.name for image in self.preparation(wildcards).images(wildcards.role)]

    def reference_names(self, wildcards: Wildcards) -> dict[str, list[str]]:
        """Return the images that constants are taken from, by modality."""
        first = self.preparation(wildcards, "train_000")
        return {role: [image.name for image in first.images(role)] for role in ROLES}

    def reference_made_by(self, wildcards: Wildcards) -> list[str]:
        """Return what made them."""
        first = self.preparation(wildcards, "train_000")
        return [first.imported_by(role) for role in ROLES]
