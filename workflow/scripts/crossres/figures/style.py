"""What all figures share: how they look, how images are shown, and how they are saved.

Labels, colours and order of methods are in :mod:`crossres.catalogue.methods`.
"""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

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


def new_figure(
    rows: int, columns: int, size_inch: tuple[float, float], **arguments: Any
) -> tuple[Figure, Any]:
    """Return a figure and its (rows, columns) array of axes, in the house's style."""
    plt.rcParams.update(STYLE)
    return plt.subplots(
        rows, columns, figsize=size_inch, squeeze=False, layout="constrained", **arguments
    )


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
    length_nm, text = _round_length(width_px * pixel_size_nm / 4)
    right, y = 0.95 * width_px, height_px - 0.06 * width_px
    _add_bar(axes, (right - length_nm / pixel_size_nm, right), (y, y))
    axes.text(right, y - 0.03 * width_px, text, color="white", ha="right", va="bottom", fontsize=6)


def add_axial_bar(axes: Axes, shape: tuple[int, int], z_step_nm: float) -> None:
    """Draw a round scale bar along z in a (Z, X) section, half of its height at the most."""
    height_px, width_px = shape
    length_nm, text = _round_length(height_px * z_step_nm / 2)
    top, x = 0.1 * height_px, 0.04 * width_px
    bottom = top + length_nm / z_step_nm
    _add_bar(axes, (x, x), (top, bottom))
    middle = (top + bottom) / 2
    axes.text(x + 0.02 * width_px, middle, f"z {text}", color="white", va="center", fontsize=6)


def _round_length(most_nm: float) -> tuple[float, str]:
    """Return the longest round length that is no longer than this, and its text."""
    length_nm = max((bar for bar in SCALE_BARS_NM if bar <= most_nm), default=SCALE_BARS_NM[0])
    return length_nm, f"{length_nm / 1000:g} µm" if length_nm >= 1000 else f"{length_nm:g} nm"


def _add_bar(axes: Axes, x: tuple[float, float], y: tuple[float, float]) -> None:
    # added as it is: the image alone says how far the axes reach
    axes.add_artist(Line2D(x, y, color="white", lw=2.5, solid_capstyle="butt"))


def show_image(
    axes: Axes, image: np.ndarray, limits: tuple[float, float], pixel_aspect: float = 1.0
) -> None:
    """Show an image in gray between two values, without ticks.

    Parameters
    ----------
    axes
        Where to.
    image
        (Y, X), or a section (Z, X).
    limits
        Values shown black and white.
    pixel_aspect
        Height of a pixel over its width.
    """
    low, high = limits
    axes.imshow(
        image, cmap="gray", vmin=low, vmax=high, interpolation="nearest", aspect=pixel_aspect
    )
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
