"""What an experiment makes of a channel: its tables, and where each comes from."""

from collections.abc import Iterable
from typing import Any

from crossres.catalogue.figures import FIGURES
from crossres.experiments.experiment import Experiment, Restoration
from crossres.experiments.fields import MEASURED
from crossres.experiments.layout import Layout


class ChannelResults:
    """Paths of every final result of one channel of an experiment.

    Parameters
    ----------
    experiment
        Whose results.
    channel
        One of its channels.
    """

    def __init__(self, experiment: Experiment, channel: str) -> None:
        self.experiment, self.channel = experiment, channel

    def path(self, pattern: str, **wildcards: str | int) -> str:
        """Return a path of the layout in this channel."""
        here = Layout.in_channel(pattern, self.experiment, self.channel)
        return Layout.fill(here, **wildcards)

    @property
    def tables(self) -> dict[str, str]:
        """The joined tables, by name."""
        names = ["registration"]
        names += ["registration_error"] if self.experiment.simulated else []
        names += ["metrics", "structures"] if self.experiment.restores else []
        return {name: self.path(Layout.table, table=name) for name in names}

    def parts_of(self, table: str) -> list[tuple[str, Restoration | None]]:
        """Return the tables that one is joined from, each with the restoration it measures.

        Tables of the registration measure pairs, not restorations.
        """
        of_pairs = table.startswith("registration")
        splits = MEASURED if of_pairs else ("test",)
        measured: Iterable[Restoration | None] = [None] if of_pairs else self.experiment.measured
        return [
            (
                self.path(
                    Layout.batch_tables[table],
                    batch=batch,
                    restoration=restoration.name if restoration else "",
                ),
                restoration,
            )
            for restoration in measured
            for batch in self.experiment.batches(self.channel, *splits)
        ]

    @property
    def parameters(self) -> dict[str, str]:
        """Files of the best parameters, by classical method."""
        return {m: self.path(Layout.parameters, method=m) for m in self.experiment.baselines}

    @property
    def grids(self) -> dict[str, str]:
        """Files of the scores of all parameters, by classical method."""
        return {m: self.path(Layout.grid, method=m) for m in self.experiment.baselines}

    @property
    def histories(self) -> dict[str, list[str]]:
        """The histories of all trainings: those of a network's seeds, by network."""
        return {
            name: [self.path(Layout.history, network=name, seed=seed) for seed in network.seeds]
            for name, network in self.experiment.networks.items()
        }

    @property
    def packages(self) -> list[str]:
        """Packages of all models, for other programs."""
        return [
            self.path(Layout.package, network=name, seed=seed)
            for name, network in self.experiment.networks.items()
            for seed in network.seeds
        ]

    @property
    def restored(self) -> list[str]:
        """The folders of all restorations."""
        return [
            self.path(Layout.restored, restoration=one.name) for one in self.experiment.restorations
        ]

    def inputs_of_figure(self, name: str) -> dict[str, str | list[str]]:
        """Return the files that a figure is drawn from, by the name of its input."""
        splits = FIGURES[name].splits
        found: dict[str, str | list[str]] = {
            **self.tables,
            "registration_error": self.registration_error,
            "pairs": self.of_batches(Layout.stages["registered"], *splits),
            "displacements": self.of_batches(Layout.displacement, *splits),
            "restored": [folder for one in self.shown for folder in one["folders"]],
            "histories": [path for seeds in self.histories.values() for path in seeds],
            "grids": list(self.grids.values()),
        }
        return {need: found[need] for need in FIGURES[name].needs}

    def of_batches(self, pattern: str, *splits: str, **wildcards: str) -> list[str]:
        """Return the path for every batch of some splits."""
        batches = self.experiment.batches(self.channel, *splits)
        return [self.path(pattern, batch=batch, **wildcards) for batch in batches]

    @property
    def registration_error(self) -> list[str]:
        """The table of registration errors against the truth; empty for measured images."""
        return [path for name, path in self.tables.items() if name == "registration_error"]

    @property
    def shown(self) -> list[dict[str, Any]]:
        """Restorations that figures of images show, one per method, with their batch folders."""
        return [
            {
                **vars(one),
                "folders": self.of_batches(Layout.restored_batch, "test", restoration=one.name),
            }
            for one in self.experiment.shown
        ]

    @property
    def trainings(self) -> list[dict[str, Any]]:
        """The history of every training, with what figures call it."""
        return [
            {"name": f"{name}, seed {seed}", "path": path}
            for name, paths in self.histories.items()
            for seed, path in zip(self.experiment.networks[name].seeds, paths, strict=True)
        ]

    @property
    def searches(self) -> list[dict[str, str]]:
        """Scores of all parameters, with the classical method."""
        return [{"method": method, "path": path} for method, path in self.grids.items()]

    @property
    def evidence(self) -> dict[str, Any]:
        """Paths of what claims are judged by."""
        return {
            **{name: self.tables[name] for name in ("metrics", "structures")},
            "registration_error": self.registration_error,
            "parameters": self.parameters,
            "histories": self.histories,
        }

    @property
    def summary(self) -> dict[str, Any]:
        """Contents of the summary and the paths of its files."""
        settings = self.experiment.settings
        return {
            "experiment": self.experiment.name,
            "channel": self.channel,
            "title": settings.title,
            "data": "simulated" if self.experiment.simulated else "measured",
            "cut": settings.source.cut and settings.source.cut.as_params(),
            **{name: self.tables.get(name) for name in ("registration", "metrics", "structures")},
            "registration_error": self.registration_error,
            "parameters": list(self.parameters.values()),
        }

    @property
    def files_of_summary(self) -> list[str]:
        """Files that the summary is written from."""
        return [*self.tables.values(), *self.parameters.values()]

    @property
    def files_of_evidence(self) -> list[str]:
        """Files that claims are judged by."""
        return [*self.files_of_summary, *(path for h in self.histories.values() for path in h)]
