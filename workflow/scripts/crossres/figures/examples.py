"""Fields side by side in every method, with zoomed insets."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from scipy.ndimage import uniform_filter

from crossres.figures.style import add_scale_bar, in_order, label_of, new_figure, show_image

ZOOM_PART = 6
LEAST_ZOOM_PX = 64
"""The inset shows a sixth of the field's shorter side, and never less than 64 pixels of it."""


def liveliest_window(target: np.ndarray, side_px: int) -> tuple[int, int]:
    """Return (y, x) of the square window in which the target varies most."""
    target = target.astype(np.float64)
    half = side_px // 2
    variance = uniform_filter(target**2, side_px) - uniform_filter(target, side_px) ** 2
    # uniform_filter centres a window of side n on n // 2: inner[y] is the window that begins at y
    height, width = target.shape
    inner = variance[half : height - side_px + half + 1, half : width - side_px + half + 1]
    y, x = np.unravel_index(int(np.argmax(inner)), inner.shape)
    return int(y), int(x)


def plot_examples(
    fields: Sequence[tuple[str, Mapping[str, np.ndarray]]], pixel_size_nm: float
) -> Figure:
    """Draw two rows a field: the field, and the window in which the target varies most.

    All panels have one spatial scale a row. Gray runs from each image's 1st to its 99.95th
    percentile in the whole field, written under the field, and is the same in its inset: the
    methods count in different units.

    Parameters
    ----------
    fields
        (name, images by method, (Y, X) of one shape, "target" among them) of each field.
    pixel_size_nm
        Of all images.
    """
    methods = in_order(fields[0][1])
    # a row is as high as its images are beside their width; insets are square
    shapes = [images["target"].shape for _, images in fields]
    heights = [part for height, width in shapes for part in (height / width, 1.0)]
    figure, axes = new_figure(
        len(heights),
        len(methods),
        (1.45 * len(methods), 1.45 * sum(heights) + 0.16 * len(heights)),
        height_ratios=heights,
    )
    for number, (name, images) in enumerate(fields):
        target = images["target"]
        side = min(max(LEAST_ZOOM_PX, min(target.shape) // ZOOM_PART), *target.shape)
        y, x = liveliest_window(target, side)
        for column, method in enumerate(methods):
            image = images[method]
            low, high = np.percentile(image, [1, 99.95])
            field_panel, zoom_panel = axes[2 * number, column], axes[2 * number + 1, column]
            show_image(field_panel, image, (low, high))
            field_panel.add_patch(
                Rectangle((x, y), side, side, fill=False, edgecolor="yellow", linewidth=0.8)
            )
            field_panel.set_xlabel(f"{low:.3g} to {high:.3g}", fontsize=6, labelpad=1)
            show_image(zoom_panel, image[y : y + side, x : x + side], (low, high))
            if number == 0:
                field_panel.set_title(label_of(method))
        add_scale_bar(axes[2 * number, 0], target.shape, pixel_size_nm)
        add_scale_bar(axes[2 * number + 1, 0], (side, side), pixel_size_nm)
        axes[2 * number, 0].set_ylabel(name, fontsize=6)
    return figure
