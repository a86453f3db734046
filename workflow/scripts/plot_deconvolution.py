"""Draw how the parameters of classical deconvolution were chosen on the validation split."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from crossres.figures import save_figure
from crossres.figures.deconvolution import plot_grids


def plot_deconvolution(grids: Mapping[str, Path], figures: list[Path]) -> None:
    """Write the figure of every method's grid.csv."""
    save_figure(plot_grids({name: pd.read_csv(path) for name, path in grids.items()}), *figures)


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake
    run(
        plot_deconvolution,
        job.log[0],
        grids={grid["method"]: Path(grid["path"]) for grid in job.params.grids},
        figures=[Path(job.output.png), Path(job.output.svg)],
    )
