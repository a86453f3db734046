"""A table of every method's values, drawn so that it can stand in a report or a talk."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from crossres.catalogue.methods import in_order, label_of
from crossres.figures.style import new_figure


def plot_table(values: pd.DataFrame, headings: Mapping[str, str]) -> Figure:
    """Draw mean ± standard deviation over fields, a row a method, a column a metric.

    Parameters
    ----------
    values
        ``method``, ``metric``, ``mean``, ``sd``, ``n``.
    headings
        Column heading by metric, in order; may have several lines.
    """
    methods = in_order(values.method)
    cells = [
        [_cell(values[(values.method == m) & (values.metric == metric)]) for metric in headings]
        for m in methods
    ]
    lines = max(heading.count("\n") + 1 for heading in headings.values())
    height = 0.35 + 0.26 * (len(methods) + lines)
    figure, axes = new_figure(1, 1, (1.7 + 0.95 * len(headings), height))
    panel = axes[0, 0]
    panel.axis("off")
    table = panel.table(
        cells,
        rowLabels=[label_of(method) for method in methods],
        colLabels=list(headings.values()),
        loc="center",
        cellLoc="center",
        edges="horizontal",
    )
    table.auto_set_font_size(False)
    table.set_fontsize(8)
    table.scale(1, 1.35)
    for column in range(len(headings)):
        heading = table[0, column]
        heading.set_height(heading.get_height() * (0.3 + 0.7 * lines))
    return figure


def _cell(rows: pd.DataFrame) -> str:
    if rows.empty or rows["mean"].isna().all():
        return "–"
    row = rows.iloc[0]
    digits = 3 if abs(row["mean"]) < 2 else 1
    spread = "" if pd.isna(row["sd"]) else f" ± {row['sd']:.{digits}f}"
    return f"{row['mean']:.{digits}f}{spread}"
