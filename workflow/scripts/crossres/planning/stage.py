"""What every stage asks of the configuration: the experiments, their settings, their batches."""

from collections.abc import Callable, Mapping
from typing import Any

from crossres.experiments import ChannelResults, Experiment, Layout, code_hash
from crossres.settings import Config, Modalities

Wildcards = Any
"""A job's wildcards, by their names in :class:`crossres.experiments.Layout`."""

Function = Callable[[Wildcards], Any]
"""What Snakemake calls with a job's wildcards."""


class Stage:
    """One rule file's view of what is run.

    Parameters
    ----------
    config
        config.yaml.
    experiments
        All that were loaded, by name.
    """

    def __init__(self, config: Config, experiments: Mapping[str, Experiment]) -> None:
        self.config, self.experiments = config, experiments

    def experiment(self, wildcards: Wildcards) -> Experiment:
        """Return the experiment of a job."""
        return self.experiments[wildcards.experiment]

    def results(self, wildcards: Wildcards) -> ChannelResults:
        """Return what the channel of a job ends in."""
        return ChannelResults(self.experiment(wildcards), wildcards.channel)

    def settings(self, *keys: str) -> Function:
        """Return a params function for a section of the experiment's settings, or a key in it."""

        def section(wildcards: Wildcards) -> Any:
            found: Any = self.experiment(wildcards).settings
            for key in keys:
                found = getattr(found, key)
            return found.as_params() if hasattr(found, "as_params") else found

        return section

    def modalities(self, wildcards: Wildcards) -> Modalities:
        """Return both microscopes as they are in one channel."""
        return self.experiment(wildcards).settings.modalities.in_channel(wildcards.channel)

    def pixel_sizes_nm(self, wildcards: Wildcards) -> dict[str, float | None]:
        """Return the pixel sizes of both modalities, which a simulation states."""
        found = self.experiment(wildcards).settings.modalities
        return {"input": found.input.pixel_size_nm, "target": found.target.pixel_size_nm}

    def field_names(self, wildcards: Wildcards) -> list[str]:
        """Return the names of a batch's fields."""
        return list(self.scenes_of_fields(wildcards))

    def scenes_of_fields(self, wildcards: Wildcards) -> dict[str, str | None]:
        """Return the scene of each field of a batch, None where fields are not cut from scans."""
        batch = self.experiment(wildcards).in_batch(wildcards.channel, wildcards.batch)
        return {field.name: field.scene for field in batch}

    def of_batches(self, pattern: str, *splits: str) -> Function:
        """Return an input function for what there is of every batch of some splits."""

        def paths(wildcards: Wildcards) -> list[str]:
            batches = self.experiment(wildcards).batches(wildcards.channel, *splits)
            return [Layout.fill(pattern, batch=batch) for batch in batches]

        return paths

    def provenance(self, script: str, *further: str) -> Function:
        """Return a params function for the columns that say where a table's numbers come from."""

        def columns(wildcards: Wildcards) -> dict[str, str]:
            simulated = self.experiment(wildcards).simulated
            return {
                "experiment": wildcards.experiment,
                "channel": wildcards.channel,
                "scale": self.config.scale,
                "data": "simulated" if simulated else "measured",
                "code": code_hash(script, *further),
            }

        return columns
