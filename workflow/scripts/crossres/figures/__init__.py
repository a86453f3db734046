"""One file a figure; each takes tables and images and computes no metric."""

from crossres.figures.style import save_figure

__all__ = ["save_figure"]
