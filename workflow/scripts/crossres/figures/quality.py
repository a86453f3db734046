"""Every field's similarity to its target, by method."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from crossres.figures.style import colour_of, in_order, label_of, new_figure

PANELS = {
    "psnr_db": "PSNR (dB)",
    "ssim": "SSIM",
    "nrmse": "NRMSE",
    "pearson_r": "Pearson r",
}


def plot_quality(metrics: pd.DataFrame) -> Figure:
    """Draw one dot a field and a line at the median, a panel a metric.

    Parameters
    ----------
    metrics
        metrics.csv: ``method``, ``metric``, ``value``.
    """
    methods = in_order(metrics[metrics.metric == "ssim"].method)
    figure, axes = new_figure(1, len(PANELS), (1.75 * len(PANELS) + 0.3, 2.6))
    rng = np.random.default_rng(0)  # spreads the dots sideways, nothing else
    for panel, (metric, title) in zip(axes[0], PANELS.items(), strict=True):
        for place, method in enumerate(methods):
            chosen = (metrics.method == method) & (metrics.metric == metric)
            values = metrics.value[chosen].dropna().to_numpy()
            sideways = place + rng.uniform(-0.15, 0.15, len(values))
            panel.plot(sideways, values, "o", ms=2.5, alpha=0.5, mew=0, color=colour_of(method))
            if len(values):
                panel.hlines(np.median(values), place - 0.3, place + 0.3, colour_of(method))
        panel.set_title(title)
        panel.set_xticks(
            range(len(methods)),
            [label_of(m) for m in methods],
            rotation=60,
            ha="right",
            rotation_mode="anchor",
        )
    return figure
