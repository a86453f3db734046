"""Training curves, with each term's share of the loss."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from crossres.figures.style import new_figure

BLIND = 2 * np.log(2)
"""Loss of a discriminator that cannot tell target from restoration."""


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


def _losses(panel, history: pd.DataFrame) -> None:
    at = history.iteration
    if "discriminator_loss" not in history:
        panel.semilogy(at, history.generator_loss, ".-", ms=3, color="#D55E00", label="MSE")
    else:
        joined = history.discriminator_loss.notna()
        panel.plot(
            at[joined],
            history.generator_loss[joined],
            ".-",
            ms=3,
            color="#D55E00",
            label="generator",
        )
        panel.plot(
            at, history.discriminator_loss, ".-", ms=3, color="#0072B2", label="discriminator"
        )
        panel.axhline(BLIND, color="#0072B2", linestyle=":", linewidth=0.8)
        panel.annotate("2 ln 2: cannot tell", (0, BLIND), fontsize=6, va="bottom", color="#0072B2")
        panel.set_ylim(bottom=0)
        _mark_warm_up(panel, history)
    panel.set_ylabel("training loss")
    panel.legend(fontsize=6)


def _shares(panel, history: pd.DataFrame) -> None:
    shares = [c for c in ("adversarial_share", "mse_share", "ssim_share") if c in history]
    for column, colour in zip(shares, ("#D55E00", "#009E73", "#CC79A7"), strict=False):
        panel.plot(
            history.iteration,
            100 * history[column],
            ".-",
            ms=3,
            color=colour,
            label=column.removesuffix("_share"),
        )
    panel.set_ylabel("share of generator loss (%)")
    panel.set_ylim(-3, 103)
    panel.legend(fontsize=6)
    _mark_warm_up(panel, history)


def _validation(panel, history: pd.DataFrame) -> None:
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
    panel.set_title(f"kept: iteration {kept.iteration:.0f}", color="#D55E00")
    panel.set_ylabel("validation")
    panel.legend(fontsize=6)


def _mark_warm_up(panel, history: pd.DataFrame) -> None:
    if "discriminator_loss" not in history or history.discriminator_loss.notna().all():
        return
    end = history.iteration[history.discriminator_loss.isna()].max()
    panel.axvspan(0, end, color="#eeeeee", zorder=0)
    panel.text(
        end / 2,
        0.5,
        "warm-up\n(MSE alone)",
        ha="center",
        fontsize=6,
        transform=panel.get_xaxis_transform(),
    )
