"""A table of every method's figures, drawn so that it can stand in a report or a talk."""

import pandas as pd
from matplotlib.figure import Figure

from crossres.figures.style import in_order, label_of, new_figure


def plot_table(values: pd.DataFrame, headings: dict[str, str]) -> Figure:
    """Draw mean ± standard deviation over fields, a row a method, a column a metric.

    Parameters
    ----------
    values
        ``method``, ``metric``, ``mean``, ``sd``, ``n``.
    headings
        Column heading by metric, in order.
    """
    methods = in_order(values.method)
    cells = [
        [_cell(values[(values.method == m) & (values.metric == metric)]) for metric in headings]
        for m in methods
    ]
    figure, axes = new_figure(1, 1, (1.7 + 1.15 * len(headings), 0.35 + 0.26 * (len(methods) + 1)))
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
    return figure


def _cell(rows: pd.DataFrame) -> str:
    if rows.empty or rows["mean"].isna().all():
        return "–"
    row = rows.iloc[0]
    digits = 3 if abs(row["mean"]) < 2 else 1
    return f"{row['mean']:.{digits}f} ± {row['sd']:.{digits}f}"
