"""Line profiles through close pairs of spots, as Wang et al. 2019, Fig. 3."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from crossres.catalogue.methods import colour_of, in_order, label_of
from crossres.figures.style import new_figure, show_image


@dataclass(frozen=True)
class PairView:
    """What is drawn of one pair.

    Parameters
    ----------
    title
        Where the pair lies.
    crops
        (Y, X) image of the pair's surroundings by method.
    profiles
        (distance in nm, value) along the line through both, by method.
    ends_px
        Both ends of that line in the crops, (y, x).
    peak_to_peak_nm
        Distance of both maxima by method, NaN where not resolved.
    """

    title: str
    crops: Mapping[str, np.ndarray]
    profiles: Mapping[str, tuple[np.ndarray, np.ndarray]]
    ends_px: tuple[tuple[float, float], tuple[float, float]]
    peak_to_peak_nm: Mapping[str, float]


def plot_profiles(pairs: Sequence[PairView]) -> Figure:
    """Draw a row a pair: its crop in every method, then all profiles, each from 0 to 1."""
    if not pairs:
        figure, axes = new_figure(1, 1, (4, 1))
        axes[0, 0].axis("off")
        axes[0, 0].text(
            0.5, 0.5, "not measurable: the target shows no isolated close pair", ha="center"
        )
        return figure
    methods = in_order(pairs[0].crops)
    columns = len(methods) + 1
    figure, axes = new_figure(
        len(pairs),
        columns,
        (1.1 * len(methods) + 3.4, 1.5 * len(pairs) + 0.3),
        width_ratios=[1.0] * len(methods) + [2.6],
    )
    for row, pair in zip(axes, pairs, strict=True):
        (y0, x0), (y1, x1) = pair.ends_px
        for panel, method in zip(row, methods, strict=False):
            crop = pair.crops[method]
            show_image(panel, crop, (float(crop.min()), float(crop.max())))
            panel.plot([x0, x1], [y0, y1], color="yellow", linewidth=0.5, alpha=0.8)
            panel.set_title(label_of(method), fontsize=7)
            distance = pair.peak_to_peak_nm[method]
            text = f"{distance:.0f} nm" if np.isfinite(distance) else "not resolved"
            panel.set_xlabel(text, fontsize=7)
        row[0].set_ylabel(pair.title, fontsize=6)
        for method in methods:
            distance_nm, value = pair.profiles[method]
            level = (value - value.min()) / max(np.ptp(value), 1e-12)
            row[-1].plot(
                distance_nm,
                level,
                color=colour_of(method),
                label=label_of(method),
                linewidth=1.6 if method in ("input", "target") else 1.1,
            )
        row[-1].set_ylabel("intensity, 0 to 1")
        row[-1].set_xlabel("distance (nm)")
    axes[0, -1].legend(fontsize=6, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure
