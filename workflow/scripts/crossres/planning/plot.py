"""What plot.smk takes."""

from typing import Any

from crossres.catalogue.figures import FIGURES
from crossres.experiments import Experiment, code_hash
from crossres.planning.stage import Stage, Wildcards


class Plotting(Stage):
    """Figures of one channel."""

    @staticmethod
    def figures_of(experiment: Experiment) -> list[str]:
        """Return the names of the figures that an experiment has something to show in."""
        return [name for name, figure in FIGURES.items() if figure.shown(experiment)]

    def inputs(self, wildcards: Wildcards) -> dict[str, str | list[str]]:
        """Return the files that a figure is drawn from."""
        return self.results(wildcards).inputs_of_figure(wildcards.figure)

    def restorations(self, wildcards: Wildcards) -> list[dict[str, Any]]:
        """Return what figures of images show: a restoration a method."""
        return self.results(wildcards).shown if self._needs("restored", wildcards) else []

    def histories(self, wildcards: Wildcards) -> list[dict[str, Any]]:
        """Return the history of every training, with its name."""
        return self.results(wildcards).trainings if self._needs("histories", wildcards) else []

    def grids(self, wildcards: Wildcards) -> list[dict[str, str]]:
        """Return the scores of the parameters of every classical method."""
        return self.results(wildcards).searches if self._needs("grids", wildcards) else []

    def caption(self, wildcards: Wildcards) -> str:
        """Return what the report says of a figure."""
        return FIGURES[wildcards.figure].caption

    def labels(self, wildcards: Wildcards) -> dict[str, str]:
        """Return what the report calls a figure."""
        return {"result": FIGURES[wildcards.figure].title, "kind": "figure"}

    def code(self, wildcards: Wildcards) -> str:
        """Return the hash of what draws a figure."""
        return code_hash(f"plot_{wildcards.figure}.py")

    def _needs(self, what: str, wildcards: Wildcards) -> bool:
        return what in FIGURES[wildcards.figure].needs
