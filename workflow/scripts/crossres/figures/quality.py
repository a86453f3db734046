"""Every field's similarity to its target, and to the truth where it is known, by method."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crossres.catalogue.methods import TRUTH, colour_of, in_order, label_of
from crossres.figures.style import new_figure

CEILING_COLOUR = colour_of(TRUTH)


def plot_quality(metrics: pd.DataFrame, rows: Mapping[str, Mapping[str, str]]) -> Figure:
    """Draw one dot a field and a line at the median, a panel a metric.

    The method "truth" is drawn as a line across the panel: the ceiling of what it is compared with.

    Parameters
    ----------
    metrics
        metrics.csv: ``method``, ``metric``, ``value``.
    rows
        Title of each panel by metric, by what the row compares with.
    """
    columns = max(len(titles) for titles in rows.values())
    figure, axes = new_figure(len(rows), columns, (1.75 * columns + 0.3, 0.6 + 2.1 * len(rows)))
    for panels, (reference, titles) in zip(axes, rows.items(), strict=True):
        shown = metrics[metrics.metric.isin(titles)]
        methods = [m for m in in_order(shown.method) if m != TRUTH]
        for panel, (metric, title) in zip(panels, titles.items(), strict=True):
            _panel(panel, shown[shown.metric == metric], methods)
            panel.set_title(title)
        panels[0].set_ylabel(reference)
    handles, labels = axes[0, -1].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower right", fontsize=7)
    return figure


def _panel(panel: Axes, table: pd.DataFrame, methods: list[str]) -> None:
    rng = np.random.default_rng(0)  # spreads the dots sideways, nothing else
    for place, method in enumerate(methods):
        values = table.value[table.method == method].dropna().to_numpy()
        sideways = place + rng.uniform(-0.15, 0.15, len(values))
        panel.plot(sideways, values, "o", ms=2.5, alpha=0.5, mew=0, color=colour_of(method))
        if len(values):
            panel.hlines(np.median(values), place - 0.3, place + 0.3, colour_of(method))
    ceiling = table.value[table.method == TRUTH].dropna()
    if len(ceiling):
        text = f"{label_of(TRUTH)}: what a perfect restoration reaches in the median field"
        panel.axhline(ceiling.median(), color=CEILING_COLOUR, ls="--", lw=0.9, label=text)
    panel.set_xticks(
        range(len(methods)),
        [label_of(method) for method in methods],
        rotation=60,
        ha="right",
        rotation_mode="anchor",
    )
