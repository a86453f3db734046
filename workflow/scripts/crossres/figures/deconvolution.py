"""How the best parameters of classical deconvolution were found."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from crossres.catalogue.classical import CLASSICAL
from crossres.catalogue.methods import label_of
from crossres.figures.style import new_figure


def plot_grids(grids: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the validation's mean Pearson r over the iterations, a line a damping or step.

    Parameters
    ----------
    grids
        grid.csv by method: ``iterations``, ``pearson_r``, and the method's own parameter.
    """
    figure, axes = new_figure(1, len(grids), (3.9 * len(grids), 2.5), sharey=True)
    for panel, (method, grid) in zip(axes[0], grids.items(), strict=True):
        parameter = CLASSICAL[method].parameter
        values = sorted(grid[parameter].unique())
        colours = plt.get_cmap("viridis")(
            [0.9 * i / max(1, len(values) - 1) for i in range(len(values))]
        )
        for value, colour in zip(values, colours, strict=True):
            line = grid[grid[parameter] == value]
            text = f"{100 * value:g} %" if parameter == "damping" else f"{value:g}"
            panel.plot(line.iterations, line.pearson_r, color=colour, label=text)
        best = grid.loc[grid.pearson_r.idxmax()]
        panel.plot(best.iterations, best.pearson_r, "o", mfc="none", color="#D55E00")
        panel.set_title(
            f"{label_of(method)}: best at {best.iterations:.0f} iterations, "
            f"{parameter} {best[parameter]:g}"
        )
        panel.set_xlabel("iterations")
        # beside the panel: the curves fill it
        panel.legend(
            title=parameter, fontsize=6, title_fontsize=6, loc="upper left", bbox_to_anchor=(1, 1)
        )
    axes[0, 0].set_ylabel("Pearson r to the target\n(validation fields)")
    return figure
