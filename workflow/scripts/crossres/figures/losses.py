"""Training curves, with each term's share of the loss."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crossres.figures.style import new_figure

COLOURS = ("#D55E00", "#009E73", "#CC79A7", "#0072B2", "#E69F00")

Place = Literal["best", "upper left", "upper right"]

GRADIENT = "adversarial_part_of_gradient"
"""Column of the history: what a share of the loss does not tell."""


def plot_losses(histories: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw, a row a network: losses, shares of the generator's loss, and the validation.

    Parameters
    ----------
    histories
        history.csv by "<network>, seed <n>".
    """
    figure, axes = new_figure(len(histories), 3, (8.4, 2.0 * len(histories) + 0.2))
    for row, (name, history) in zip(axes, histories.items(), strict=True):
        _losses(row[0], history)
        row[0].set_title(name)
        _shares(row[1], history)
        _validation(row[2], history)
        for panel in row:
            panel.set_xlabel("iteration")
            panel.set_xlim(0, history.iteration.max() * 1.02)
    return figure


def _losses(panel: Axes, history: pd.DataFrame) -> None:
    at = history.iteration
    if "discriminator_loss" not in history:
        panel.semilogy(at, history.generator_loss, ".-", ms=3, color="#D55E00", label="loss")
    else:
        panel.semilogy(at, history.generator_loss, ".-", ms=3, color="#D55E00", label="generator")
        panel.semilogy(
            at, history.discriminator_loss, ".-", ms=3, color="#0072B2", label="discriminator"
        )
        blind = history.discriminator_equilibrium.iloc[0]
        panel.axhline(blind, color="#0072B2", linestyle=":", linewidth=0.8)
        panel.annotate("cannot tell", (0, blind), fontsize=6, va="bottom", color="#0072B2")
        panel.set_ylim(top=3 * panel.get_ylim()[1])
        _mark_warm_up(panel, history, "warm-up\n(no discriminator)")
    panel.set_ylabel("training loss")
    _legend(panel)


def _shares(panel: Axes, history: pd.DataFrame) -> None:
    shares = [column for column in history if column.endswith("_share")]
    for column, colour in zip(sorted(shares), COLOURS, strict=False):
        panel.plot(
            history.iteration,
            100 * history[column],
            ".-",
            ms=3,
            color=colour,
            label=column.removesuffix("_share"),
        )
    if GRADIENT in history and history[GRADIENT].notna().any():
        looked_at = history[history[GRADIENT].notna()]
        panel.plot(
            looked_at.iteration,
            100 * looked_at[GRADIENT],
            "s--",
            ms=3,
            color="black",
            label="adversarial, of the gradient",
        )
    panel.set_ylabel("share of generator loss (%)")
    # shares fill the panel: room for the legend is above them
    panel.set_ylim(-3, 165)
    panel.set_yticks(range(0, 101, 20))
    _legend(panel, "upper left")
    _mark_warm_up(panel, history)


def _validation(panel: Axes, history: pd.DataFrame) -> None:
    panel.semilogy(
        history.iteration, history.validation_mse, ".-", ms=3, color="#009E73", label="MSE"
    )
    panel.semilogy(
        history.iteration,
        history.validation_spectrum_distance,
        ".-",
        ms=3,
        color="#0072B2",
        label="spectrum distance",
    )
    if not np.allclose(history.validation_score, history.validation_mse):
        panel.semilogy(
            history.iteration, history.validation_score, ".-", ms=3, color="black", label="score"
        )
    kept = history[history.kept].iloc[0]
    panel.axvline(kept.iteration, color="#D55E00", linewidth=0.8)
    lowest = history.iteration[history.validation_mse.idxmin()]
    panel.set_title(
        f"kept: iteration {kept.iteration:.0f}; lowest MSE: {lowest:.0f}", color="#D55E00"
    )
    panel.set_ylabel("validation")
    # the curves fall together: room for the legend is above them
    low, high = panel.get_ylim()
    panel.set_ylim(low, high * (high / low) ** 0.5)
    _legend(panel, "upper right")


def _legend(panel: Axes, place: Place = "best") -> None:
    panel.legend(loc=place, fontsize=6, frameon=True, framealpha=0.85, edgecolor="none")


def _mark_warm_up(panel: Axes, history: pd.DataFrame, text: str = "") -> None:
    if "discriminator_loss" not in history:
        return
    # at iteration 0 no loss has been computed yet, with or without a warm-up
    end = history.iteration[history.discriminator_loss.isna()].max()
    if not end > 0:
        return
    panel.axvspan(0, end, color="#eeeeee", zorder=0)
    panel.text(
        end / 2,
        0.5,
        text,
        ha="center",
        fontsize=6,
        transform=panel.get_xaxis_transform(),
    )
