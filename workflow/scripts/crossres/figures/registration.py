"""How a pair was aligned: what moved, overlays before and after, and what is left."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crossres.figures.style import add_scale_bar, new_figure, show_image

ARROWS = 16
"""Arrows along the longer side of a field."""

RESIDUAL_COLOURS = {"estimated": "#0072B2", "true": "#D55E00"}


def plot_registration(
    pair: np.ndarray,
    before: np.ndarray,
    correction: np.ndarray,
    window: tuple[slice, slice],
    pixel_size_nm: float,
    residuals_px: Mapping[str, np.ndarray],
    remark: str = "",
    axial_px: float | None = None,
) -> Figure:
    """Draw the correction as arrows, the overlay in a window before and after, and residuals.

    Parameters
    ----------
    pair
        (2, Y, X) input and registered target; of volumes their middle slice.
    before
        (Y, X) the target before the correction.
    correction
        (2, Y / s, X / s) displacement in pixels of the pair, on a coarser grid.
    window
        Part that the overlays show.
    pixel_size_nm
        Of the pair.
    residuals_px
        Residual of every accepted field by what it is: "estimated", and "true" where known.
    remark
        Set behind the titles of the overlays.
    axial_px
        Largest correction along z, in slices; None of images.
    """
    figure, axes = new_figure(1, 4, (10.4, 2.9))
    _arrows(axes[0, 0], pair[1], correction, window)
    if axial_px is not None:
        axes[0, 0].set_xlabel(f"and up to {axial_px:.2f} slices along z")
    add_scale_bar(axes[0, 0], pair.shape[1:], pixel_size_nm)
    for panel, target, title in ((axes[0, 1], before, "before"), (axes[0, 2], pair[1], "after")):
        panel.imshow(overlay(pair[0][window], target[window]), interpolation="nearest")
        panel.set_title(f"{title}{remark}: input red, target green")
        panel.set_xticks([])
        panel.set_yticks([])
        height, width = (part.stop - part.start for part in window)
        add_scale_bar(panel, (height, width), pixel_size_nm)
    _histogram(axes[0, 3], residuals_px)
    return figure


def overlay(red: np.ndarray, green: np.ndarray) -> np.ndarray:
    """Return (Y, X, 3) of two images, each from its 1st to its 99.8th percentile; yellow agrees."""
    result = np.zeros((*red.shape, 3), np.float32)
    for channel, image in enumerate((red, green)):
        low, high = np.percentile(image, [1, 99.8])
        result[..., channel] = np.clip((image - low) / max(high - low, 1e-12), 0, 1)
    return result


def _arrows(
    axes: Axes, image: np.ndarray, correction: np.ndarray, window: tuple[slice, slice]
) -> None:
    """Draw the correction over the target, the longest arrow one spacing long."""
    low, high = np.percentile(image, [1, 99.8])
    show_image(axes, image, (low, high))
    step = image.shape[0] / correction.shape[1]
    every = max(1, round(max(correction.shape[1:]) / ARROWS))
    y, x = (np.arange(every // 2, n, every) for n in correction.shape[1:])
    dy, dx = correction[:, y[:, None], x]
    longest = float(np.hypot(*correction).max())
    axes.quiver(
        (x + 0.5) * step - 0.5,
        (y + 0.5) * step - 0.5,
        dx,
        dy,
        color="#F0E442",
        angles="xy",
        scale_units="xy",
        scale=max(longest, 1e-9) / (every * step),
        width=0.004,
    )
    rows, columns = window
    left, right, top, bottom = columns.start, columns.stop, rows.start, rows.stop
    axes.plot([left, right, right, left, left], [top, top, bottom, bottom, top], "c-", lw=0.8)
    axes.set_title(f"correction, longest {longest:.2f} px")


def _histogram(axes: Axes, residuals_px: Mapping[str, np.ndarray]) -> None:
    """Draw the residuals of all fields on one axis."""
    known = {name: values[np.isfinite(values)] for name, values in residuals_px.items()}
    top = max((float(values.max()) for values in known.values() if len(values)), default=1.0)
    bins = list(np.linspace(0, max(top, 1e-6) * 1.05, 21))
    for name, values in known.items():
        label = f"{name}, median {np.median(values):.3f} px" if len(values) else name
        axes.hist(
            values, bins, histtype="step", lw=1.5, color=RESIDUAL_COLOURS.get(name), label=label
        )
    axes.set_xlabel("residual of a field, rms (px)")
    axes.set_ylabel("fields")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), fontsize=6)
