"""What report.smk takes, and what `snakemake --cores all` makes."""

from typing import Any

from crossres.experiments import ChannelResults, Layout
from crossres.planning.plot import Plotting


class Reporting(Plotting):
    """What is said of all experiments that were asked for.

    Of experiments that are only needed, for their models to begin from, just these models are made.
    """

    @property
    def channels(self) -> list[ChannelResults]:
        """What every channel of every experiment ends in."""
        return [
            ChannelResults(experiment, channel)
            for experiment in self.experiments.values()
            if experiment.asked
            for channel in experiment.channels
        ]

    @property
    def evidence(self) -> dict[str, dict[str, Any]]:
        """Paths of what claims are judged by, by experiment and channel."""
        found: dict[str, dict[str, Any]] = {}
        for results in self.channels:
            if results.experiment.restores:
                found.setdefault(results.experiment.name, {})[results.channel] = results.evidence
        return found

    @property
    def files_of_evidence(self) -> list[str]:
        """All of these paths."""
        return [
            path
            for results in self.channels
            if results.experiment.restores
            for path in results.files_of_evidence
        ]

    @property
    def summaries(self) -> list[dict[str, Any]]:
        """What the summary says of each channel, and from which files."""
        return [results.summary for results in self.channels]

    @property
    def files_of_summary(self) -> list[str]:
        """All of these files."""
        return [path for results in self.channels for path in results.files_of_summary]

    @property
    def everything(self) -> list[str]:
        """All results that a user asks for."""
        made = [Layout.claims, Layout.summary]
        for results in self.channels:
            made += [*results.tables.values(), *results.restored, *results.packages]
            made += [
                results.path(Layout.figure, figure=figure)
                for figure in self.figures_of(results.experiment)
            ]
        return made
