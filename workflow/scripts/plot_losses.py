"""Draw the training curves of every network and seed."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from crossres.figures import save_figure
from crossres.figures.losses import plot_losses as draw


def plot_losses(histories: Mapping[str, Path], figures: list[Path]) -> None:
    """Write the figure.

    Parameters
    ----------
    histories
        history.csv by what it is called in the figure.
    figures
        Where to.
    """
    save_figure(draw({name: pd.read_csv(path) for name, path in histories.items()}), *figures)


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake
    run(
        plot_losses,
        job.log[0],
        histories={history["name"]: Path(history["path"]) for history in job.params.histories},
        figures=[Path(job.output.png), Path(job.output.svg)],
    )
