"""Draw the FWHM histogram of every method."""

from pathlib import Path

import pandas as pd

from crossres.figures import save_figure
from crossres.figures.fwhm import plot_fwhm_histograms
from crossres.jobs import logger
from crossres.measure import main_peak


def plot_fwhm(structures: Path, peaks_table: Path, figures: list[Path]) -> None:
    """Write the figure, and the main peaks it shows as a table.

    Parameters
    ----------
    structures
        structures.csv.
    peaks_table, figures
        Where to.
    """
    table = pd.read_csv(structures)
    widths = table[table.metric == "fwhm_nm"]
    peaks, counts, rows = {}, {}, []
    for method, part in widths.groupby("method"):
        values = part.value.dropna().to_numpy()
        peaks[method], counts[method] = main_peak(values), len(values)
        peak = peaks[method]
        centre, sigma = (peak.centre, peak.sigma) if peak else (float("nan"), float("nan"))
        rows.append((method, centre, sigma, len(values), len(part)))
    columns = ["method", "main_peak_nm", "sigma_nm", "fitted", "found"]
    pd.DataFrame(rows, columns=columns).to_csv(peaks_table, index=False)
    if not rows:
        logger.info("FWHM is not measurable: the target shows no isolated spots")
        peaks, counts = {"target": None}, {"target": 0}
    save_figure(plot_fwhm_histograms(peaks, counts), *figures)


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    run(
        plot_fwhm,
        job.log[0],
        structures=Path(job.input[0]),
        peaks_table=Path(job.output.peaks),
        figures=[Path(job.output.png), Path(job.output.svg)],
    )
