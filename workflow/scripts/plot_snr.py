"""Draw the table of widths, SNR and similarity of every method."""

from pathlib import Path

import numpy as np
import pandas as pd

from crossres.figures import save_figure
from crossres.figures.snr import plot_table
from crossres.measure.registry import Quantity, summary_columns


def plot_snr(metrics: Path, figures: list[Path]) -> None:
    """Write the table as a figure: mean ± standard deviation over fields and seeds.

    Parameters
    ----------
    metrics
        metrics.csv.
    figures
        Where to.
    """
    table = pd.read_csv(metrics)
    headings = {q.name: in_lines(q) for q in summary_columns() if q.name in set(table.metric)}
    table = table[table.metric.isin(headings) & np.isfinite(table.value)]
    grouped = table.groupby(["method", "metric"]).value
    summary = grouped.agg(mean="mean", sd="std", n="count").reset_index()
    save_figure(plot_table(summary, headings), *figures)


def in_lines(quantity: Quantity) -> str:
    """Return a column's heading, what it compares with on a line of its own."""
    label, _, reference = quantity.label.partition(" to ")
    unit = "" if quantity.unit == "1" else f" ({quantity.unit})"
    return f"{label}{unit}" + (f"\nto {reference}" if reference else "")


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake
    run(
        plot_snr,
        job.log[0],
        metrics=Path(job.input.metrics),
        figures=[Path(job.output.png), Path(job.output.svg)],
    )
