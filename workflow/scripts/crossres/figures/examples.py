"""Fields side by side in every method, with zoomed insets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from scipy.ndimage import uniform_filter

from crossres.catalogue.methods import TARGET, in_order, label_of
from crossres.figures.style import add_axial_bar, add_scale_bar, new_figure, show_image

ZOOM_PART = 6
LEAST_ZOOM_PX = 64
"""The inset shows a sixth of the field's shorter side, and never less than 64 pixels of it."""


@dataclass(frozen=True)
class Example:
    """One field.

    Parameters
    ----------
    name
        Of the field.
    images
        (Y, X) or (Z, Y, X) of one shape by method, "target" among them.
    pixel_size_nm
        Lateral, of all images.
    z_step_nm
        Distance of two slices; None of images.
    """

    name: str
    images: Mapping[str, np.ndarray]
    pixel_size_nm: float
    z_step_nm: float | None = None

    @property
    def sections(self) -> int:
        """Rows that it takes: field, inset, and of a volume a section along z."""
        return self.images[TARGET].ndim

    @property
    def heights(self) -> list[float]:
        """Height of each row over its width."""
        *_, height, width = self.images[TARGET].shape
        rows = [height / width, 1.0]
        if self.z_step_nm is not None:
            depth_nm = self.images[TARGET].shape[0] * self.z_step_nm
            rows.append(depth_nm / (width * self.pixel_size_nm))
        return rows


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


def plot_examples(examples: Sequence[Example]) -> Figure:
    """Draw the field, the window in which the target varies most, and of a volume an xz section.

    All panels of a row have one spatial scale. Gray runs from each image's 1st to its 99.95th
    percentile in the whole field, written under the field, and is the same in its inset and
    section: the methods count in different units. Of a volume the middle slice is shown, and the
    section through the target's brightest voxel within the window, along the dashed line.
    """
    methods = in_order(examples[0].images)
    heights = [height for example in examples for height in example.heights]
    figure, axes = new_figure(
        len(heights),
        len(methods),
        (1.45 * len(methods), 1.45 * sum(heights) + 0.16 * len(heights)),
        height_ratios=heights,
    )
    for column, method in enumerate(methods):
        axes[0, column].set_title(label_of(method))
    first = 0
    for example in examples:
        _draw(axes[first : first + example.sections], example, methods)
        first += example.sections
    return figure


def _draw(rows: Any, example: Example, methods: Sequence[str]) -> None:
    target = example.images[TARGET]
    *depth, height, width = target.shape
    middle = (depth[0] // 2,) if depth else ()
    side = min(max(LEAST_ZOOM_PX, min(height, width) // ZOOM_PART), height, width)
    y, x = liveliest_window(target[middle], side)
    window = np.s_[y : y + side, x : x + side]
    through = int(np.argmax(target[..., *window].max(axis=(0, 2)))) + y if depth else None
    for column, method in enumerate(methods):
        image = example.images[method]
        low, high = np.percentile(image, [1, 99.95])
        field_panel, zoom_panel = rows[:2, column]
        show_image(field_panel, image[middle], (low, high))
        field_panel.add_patch(
            Rectangle((x, y), side, side, fill=False, edgecolor="yellow", linewidth=0.8)
        )
        field_panel.set_xlabel(f"{low:.3g} to {high:.3g}", fontsize=6, labelpad=1)
        show_image(zoom_panel, image[middle][window], (low, high))
        if through is not None and example.z_step_nm is not None:
            field_panel.axhline(through, color="white", ls=(0, (4, 3)), lw=0.6)
            aspect = example.z_step_nm / example.pixel_size_nm
            show_image(rows[2, column], image[:, through], (low, high), aspect)
    for panel, name in zip(rows[:, 0], ("xy, middle slice", "xy, window", "xz"), strict=False):
        panel.set_ylabel(name if depth else "", fontsize=6)
    rows[0, 0].set_ylabel(f"{example.name}\n{rows[0, 0].get_ylabel()}".strip(), fontsize=6)
    add_scale_bar(rows[0, 0], (height, width), example.pixel_size_nm)
    add_scale_bar(rows[1, 0], (side, side), example.pixel_size_nm)
    if depth and example.z_step_nm is not None:
        add_axial_bar(rows[2, 0], (depth[0], width), example.z_step_nm)
