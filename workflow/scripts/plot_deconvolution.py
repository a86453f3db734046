"""Draw how the baselines' parameters were chosen on the validation split."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from crossres.figures import save_figure
from crossres.figures.grid import plot_grids


def plot_deconvolution(grids: Mapping[str, Path], figures: list[Path]) -> None:
    """Write the figure of every method's grid.csv."""
    save_figure(plot_grids({name: pd.read_csv(path) for name, path in grids.items()}), *figures)


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    run(
        plot_deconvolution,
        job.log[0],
        grids={Path(path).parent.name: Path(path) for path in job.input},
        figures=[Path(job.output.png), Path(job.output.svg)],
    )
