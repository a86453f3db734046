"""Histograms of bead FWHM, one panel a method, as Wang et al. 2019, Fig. 4."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crossres.catalogue.methods import colour_of, in_order, label_of
from crossres.figures.style import new_figure
from crossres.measure import MainPeak


@dataclass(frozen=True)
class Widths:
    """What is drawn of one method.

    Parameters
    ----------
    count
        Number of spots that were fitted.
    peak
        Main peak of their widths; None where there were too few.
    """

    count: int
    peak: MainPeak | None


def plot_fwhm_histograms(widths: Mapping[str, Mapping[str, Widths]]) -> Figure:
    """Draw the histogram of each method with the Gaussian fitted to its main peak.

    Parameters
    ----------
    widths
        Widths by the label of the axis, such as "FWHM (nm)", and by method: a column a label.
    """
    methods = in_order(method for column in widths.values() for method in column)
    figure, axes = new_figure(
        len(methods),
        len(widths),
        (4.2 * len(widths), 1.05 * len(methods) + 0.5),
        sharex="col",
    )
    for panels, (label, column) in zip(axes.T, widths.items(), strict=True):
        for panel, method in zip(panels, methods, strict=True):
            _histogram(panel, method, column[method])
        known = [found.peak for found in column.values() if found.peak is not None]
        right = max((peak.centre + 5 * peak.sigma for peak in known), default=1.0)
        panels[-1].set_xlabel(label)
        panels[-1].set_xlim(0, right * 1.25)
    for panel in axes[:, 0]:
        panel.set_ylabel("spots")
    return figure


def _histogram(panel: Axes, method: str, found: Widths) -> None:
    peak = found.peak
    if peak is None:
        text = f"{label_of(method)}: not measurable ({found.count} spots fitted)"
        panel.text(0.5, 0.5, text, ha="center", transform=panel.transAxes)
        return
    panel.stairs(peak.counts, peak.edges, fill=True, color=colour_of(method), alpha=0.45)
    x = np.linspace(peak.edges[0], peak.edges[-1], 400)
    curve = peak.height * np.exp(-((x - peak.centre) ** 2) / (2 * peak.sigma**2))
    panel.plot(x, curve, color=colour_of(method), linewidth=1.2)
    panel.text(
        0.99,
        0.95,
        f"{label_of(method)}\n{peak.centre:.0f} ± {peak.sigma:.0f} nm\n{found.count} spots",
        ha="right",
        va="top",
        transform=panel.transAxes,
    )
