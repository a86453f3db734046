"""Histograms of bead FWHM, one panel a method, as Wang et al. 2019, Fig. 4."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from crossres.figures.style import colour_of, in_order, label_of, new_figure
from crossres.measure import MainPeak


def plot_fwhm_histograms(peaks: Mapping[str, MainPeak | None], counts: Mapping[str, int]) -> Figure:
    """Draw the histogram of each method with the Gaussian fitted to its main peak.

    Parameters
    ----------
    peaks
        Main peak by method, None where there were too few spots to measure.
    counts
        Number of spots fitted, by method.
    """
    methods = in_order(peaks)
    figure, axes = new_figure(len(methods), 1, (4.2, 1.05 * len(methods) + 0.5), sharex=True)
    known = [peak for peak in peaks.values() if peak is not None]
    right = max((peak.centre + 5 * peak.sigma for peak in known), default=1.0)
    for panel, method in zip(axes[:, 0], methods, strict=True):
        peak = peaks[method]
        panel.set_ylabel("spots")
        if peak is None:
            text = f"{label_of(method)}: not measurable ({counts[method]} spots fitted)"
            panel.text(0.5, 0.5, text, ha="center", transform=panel.transAxes)
            continue
        panel.stairs(peak.counts, peak.edges, fill=True, color=colour_of(method), alpha=0.45)
        x = np.linspace(peak.edges[0], peak.edges[-1], 400)
        curve = peak.height * np.exp(-((x - peak.centre) ** 2) / (2 * peak.sigma**2))
        panel.plot(x, curve, color=colour_of(method), linewidth=1.2)
        panel.text(
            0.99,
            0.95,
            f"{label_of(method)}\n{peak.centre:.0f} ± {peak.sigma:.0f} nm\n{counts[method]} spots",
            ha="right",
            va="top",
            transform=panel.transAxes,
        )
    axes[-1, 0].set_xlabel("FWHM (nm)")
    axes[-1, 0].set_xlim(0, right * 1.25)
    return figure
