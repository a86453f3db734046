"""Draw every field's similarity to its target, and to the truth where it is known."""

from pathlib import Path

import pandas as pd

from crossres.figures import save_figure
from crossres.figures.quality import plot_quality as draw
from crossres.measure.registry import summary_columns
from crossres.measure.similarity import SIMILARITY, SIMILARITY_TO_TRUTH

REFERENCES = {"to the target": SIMILARITY, "to the truth": SIMILARITY_TO_TRUTH}


def plot_quality(metrics: Path, figures: list[Path]) -> None:
    """Write the figure of metrics.csv, a row for each reference that it compares with."""
    table = pd.read_csv(metrics)
    measured = set(table.metric)
    rows = {
        reference: {q.name: q.heading for q in summary_columns() if q in known}
        for reference, known in REFERENCES.items()
        if measured & {q.name for q in known}
    }
    save_figure(draw(table, rows), *figures)


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake
    run(
        plot_quality,
        job.log[0],
        metrics=Path(job.input.metrics),
        figures=[Path(job.output.png), Path(job.output.svg)],
    )
