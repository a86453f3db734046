"""Applying a model to images of any size; classical deconvolution beside it."""

from crossres.restoration.landweber import nnls
from crossres.restoration.richardson_lucy import richardson_lucy
from crossres.restoration.tiles import restore

__all__ = ["nnls", "restore", "richardson_lucy"]
