"""Draw every field's similarity to its target."""

from pathlib import Path

import pandas as pd

from crossres.figures import save_figure
from crossres.figures.quality import plot_quality as draw


def plot_quality(metrics: Path, figures: list[Path]) -> None:
    """Write the figure of metrics.csv."""
    save_figure(draw(pd.read_csv(metrics)), *figures)


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    run(
        plot_quality,
        job.log[0],
        metrics=Path(job.input[0]),
        figures=[Path(job.output.png), Path(job.output.svg)],
    )
