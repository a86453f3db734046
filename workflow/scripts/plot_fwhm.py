"""Draw the FWHM histograms of every method."""

from pathlib import Path

import pandas as pd

from crossres.catalogue.methods import TARGET
from crossres.figures import save_figure
from crossres.figures.fwhm import Widths, plot_fwhm_histograms
from crossres.jobs import logger
from crossres.measure import main_peak
from crossres.measure.fwhm import FWHM, FWHM_AXIAL


def plot_fwhm(structures: Path, figures: list[Path]) -> None:
    """Write the figure: a column of histograms, of volumes one of lateral and one of axial widths.

    Parameters
    ----------
    structures
        structures.csv.
    figures
        Where to.
    """
    table = pd.read_csv(structures)
    columns = {}
    for quantity in (FWHM, FWHM_AXIAL):
        found = {}
        for method, part in table[table.metric == quantity.name].groupby("method"):
            values = part.value.dropna().to_numpy()
            found[str(method)] = Widths(len(values), main_peak(values))
        if found:
            columns[quantity.heading] = found
    if not columns:
        logger.info("FWHM is not measurable: the target shows no isolated spots")
        columns[FWHM.heading] = {TARGET: Widths(0, None)}
    save_figure(plot_fwhm_histograms(columns), *figures)


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake
    run(
        plot_fwhm,
        job.log[0],
        structures=Path(job.input.structures),
        figures=[Path(job.output.png), Path(job.output.svg)],
    )
