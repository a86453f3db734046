"""Draw the table of SNR and similarity of every method."""

from pathlib import Path

import numpy as np
import pandas as pd

from crossres.figures import save_figure
from crossres.figures.table import plot_table

HEADINGS = {
    "snr": "SNR",
    "fwhm_nm": "FWHM (nm)",
    "psnr_db": "PSNR (dB)",
    "ssim": "SSIM",
    "nrmse": "NRMSE",
    "pearson_r": "Pearson r",
}


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
    measured = set(table.metric)
    table = table[table.metric.isin(HEADINGS) & np.isfinite(table.value)]
    grouped = table.groupby(["method", "metric"]).value
    summary = grouped.agg(mean="mean", sd="std", n="count").reset_index()
    present = {metric: text for metric, text in HEADINGS.items() if metric in measured}
    save_figure(plot_table(summary, present), *figures)


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    run(
        plot_snr,
        job.log[0],
        metrics=Path(job.input[0]),
        figures=[Path(job.output.png), Path(job.output.svg)],
    )
