"""One file a figure; each takes tables and images and computes no metric."""

from crossres.figures.style import METHOD_LABELS, save_figure

__all__ = ["METHOD_LABELS", "save_figure"]
