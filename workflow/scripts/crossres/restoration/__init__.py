"""Applying a model to images of any size; classical deconvolution beside it."""

from crossres.restoration.landweber import nnls
from crossres.restoration.record import Record
from crossres.restoration.restorer import Restorer, load_models
from crossres.restoration.richardson_lucy import richardson_lucy
from crossres.restoration.stacks import Stated
from crossres.restoration.tiles import restore

__all__ = [
    "Record",
    "Restorer",
    "Stated",
    "load_models",
    "nnls",
    "restore",
    "richardson_lucy",
]
