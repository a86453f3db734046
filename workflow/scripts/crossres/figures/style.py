"""What all figures share: names, colours, order, and how they are saved."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

METHOD_LABELS = {
    "input": "input",
    "richardson_lucy": "Lucy–Richardson",
    "nnls": "NNLS",
    "care": "CARE",
    "srresnet": "SRResNet",
    "esrgan": "ESRGAN",
    "dfcan": "DFCAN",
    "cnn": "CNN",
    "gan": "GAN",
    "rcan": "RCAN",
    "tcan": "TCAN",
    "target": "target",
}
"""Methods in the order in which figures show them; others follow under their own name."""

COLOURS = {
    "input": "#999999",
    "richardson_lucy": "#E69F00",
    "nnls": "#56B4E9",
    "cnn": "#009E73",
    "gan": "#D55E00",
    "rcan": "#0072B2",
    "tcan": "#CC79A7",
    "care": "#8C6D31",
    "srresnet": "#637939",
    "esrgan": "#AD494A",
    "dfcan": "#6B6ECF",
    "target": "#000000",
}
"""Okabe and Ito's palette, distinguishable with any colour vision; comparators in muted tones."""

STYLE: Any = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "svg.fonttype": "none",
    "svg.hashsalt": "crossres",
}

SCALE_BARS_NM = (100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000)


def new_figure(rows: int, columns: int, size_inch: tuple[float, float], **arguments: Any):
    """Return a figure and its (rows, columns) array of axes, in the house's style."""
    plt.rcParams.update(STYLE)
    return plt.subplots(
        rows, columns, figsize=size_inch, squeeze=False, layout="constrained", **arguments
    )


def in_order(methods: Iterable[str]) -> list[str]:
    """Return methods in the order of :data:`METHOD_LABELS`, unknown ones before the target."""
    known = list(METHOD_LABELS)
    return sorted(
        dict.fromkeys(methods),
        key=lambda m: (known.index(m) if m in known else known.index("target") - 0.5, m),
    )


def label_of(method: str) -> str:
    """Return a method's name as figures write it."""
    network = method.removesuffix("_ensemble")
    label = METHOD_LABELS.get(network, network.upper())
    return label if network == method else f"{label}, mean of seeds"


def colour_of(method: str) -> str:
    """Return a method's colour."""
    return COLOURS.get(method, "#777777")


def save_figure(figure: Figure, *paths: str | Path) -> None:
    """Save a figure under every path, by its ending, without the date of the day."""
    for path in map(Path, paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        metadata = {"Date": None} if path.suffix == ".svg" else {"Software": None}
        figure.savefig(path, metadata=metadata)
    plt.close(figure)


def add_scale_bar(axes: Axes, shape: tuple[int, int], pixel_size_nm: float) -> None:
    """Draw a round scale bar of about a quarter of the image's width, at the lower right."""
    height_px, width_px = shape
    quarter_nm = width_px * pixel_size_nm / 4
    length_nm = max((bar for bar in SCALE_BARS_NM if bar <= quarter_nm), default=SCALE_BARS_NM[0])
    length_px = length_nm / pixel_size_nm
    right, y = 0.95 * width_px, height_px - 0.06 * width_px
    bar = Line2D([right - length_px, right], [y, y], color="white", lw=2.5, solid_capstyle="butt")
    # added as it is: the image alone says how far the axes reach
    axes.add_artist(bar)
    text = f"{length_nm / 1000:g} µm" if length_nm >= 1000 else f"{length_nm:g} nm"
    axes.text(right, y - 0.03 * width_px, text, color="white", ha="right", va="bottom", fontsize=6)


def show_image(axes: Axes, image: np.ndarray, limits: tuple[float, float]) -> None:
    """Show an image in gray between two values, square pixels, no ticks."""
    axes.imshow(image, cmap="gray", vmin=limits[0], vmax=limits[1], interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
