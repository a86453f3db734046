"""Applying a model to images of any size; classical deconvolution by the same door."""

from crossres.deconvolution.landweber import nnls
from crossres.deconvolution.richardson_lucy import richardson_lucy
from crossres.restoration.inference import Inference, NotFinite
from crossres.restoration.new_images import find_images, find_models, find_skipped, folder_of
from crossres.restoration.record import RestoredRecord
from crossres.restoration.restorer import Restorer, load_models
from crossres.restoration.restoring import restore_images
from crossres.restoration.stacks import Stated
from crossres.restoration.tiles import restore

__all__ = [
    "Inference",
    "NotFinite",
    "RestoredRecord",
    "Restorer",
    "Stated",
    "find_images",
    "find_models",
    "find_skipped",
    "folder_of",
    "load_models",
    "nnls",
    "restore",
    "restore_images",
    "richardson_lucy",
]
