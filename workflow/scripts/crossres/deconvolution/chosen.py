"""The point of a grid of parameters at which a classical method is used."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from crossres.catalogue.classical import CLASSICAL, Classical


def grid_table(scores: np.ndarray, settings: Classical) -> pd.DataFrame:
    """Return the scores of a grid, (values, iterations), as a table with a row a point.

    Its columns are the method's parameter, ``iterations`` and ``pearson_r``.
    """
    rows = [
        (value, iteration, score)
        for value, line in zip(settings.values, scores, strict=True)
        for iteration, score in enumerate(line, start=1)
    ]
    return pd.DataFrame(rows, columns=[settings.parameter, "iterations", "pearson_r"])


def mean_grid(grids: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the mean over all fields of the grids of several batches.

    Parameters
    ----------
    grids
        As of :func:`grid_table`, with the number of their ``fields`` beside.
    """
    fields = sum(grid["fields"] for grid in grids)
    mean = sum(grid["pearson_r"] * (grid["fields"] / fields) for grid in grids)
    return grids[0].drop(columns="fields").assign(pearson_r=mean)


@dataclass(frozen=True)
class Chosen:
    """The point of a grid at which a method is used.

    Parameters
    ----------
    method
        Name in the catalogue.
    iterations, parameter
        The point.
    validation_pearson_r
        Mean r there.
    at_limit_of_grid
        Whether more iterations might be better, as none were searched.
    """

    method: str
    iterations: int
    parameter: float
    validation_pearson_r: float
    at_limit_of_grid: bool

    @classmethod
    def best_of(cls, method: str, grid: pd.DataFrame) -> "Chosen":
        """Return the point with the highest r; of equal ones the first."""
        best = grid.loc[grid.pearson_r.idxmax()]
        return cls(
            method,
            int(best.iterations),
            float(best[CLASSICAL[method].parameter]),
            float(best.pearson_r),
            bool(best.iterations == grid.iterations.max()),
        )

    def as_json(self) -> dict[str, Any]:
        """Return what is written to parameters.json; the parameter bears its name."""
        return {
            "method": self.method,
            "iterations": self.iterations,
            CLASSICAL[self.method].parameter: self.parameter,
            "validation_pearson_r": self.validation_pearson_r,
            "at_limit_of_grid": self.at_limit_of_grid,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Chosen":
        """Return what :meth:`as_json` gave."""
        method = values["method"]
        return cls(
            method,
            values["iterations"],
            values[CLASSICAL[method].parameter],
            values["validation_pearson_r"],
            values["at_limit_of_grid"],
        )
