"""Classical deconvolution: one file a method, found by its configuration name; tuning."""

from crossres.deconvolution.baseline import iterate_baseline
from crossres.deconvolution.landweber import nnls
from crossres.deconvolution.registry import ITERATIONS, iterate
from crossres.deconvolution.richardson_lucy import richardson_lucy
from crossres.deconvolution.tuning import Chosen, grid_table, mean_grid, search

__all__ = [
    "ITERATIONS",
    "Chosen",
    "grid_table",
    "iterate",
    "iterate_baseline",
    "mean_grid",
    "nnls",
    "richardson_lucy",
    "search",
]
