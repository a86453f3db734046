"""The configuration and the sheets: which fields, which split, which settings.

Only light imports here: every start of Snakemake reads this room.
"""

from crossres.experiments.experiment import Experiment, Field
from crossres.experiments.loading import load_experiments
from crossres.experiments.new_images import (
    USAGE,
    has_braces,
    new_folder,
    new_images,
    new_models,
    skipped_files,
)
from crossres.experiments.provenance import code_hash, fingerprint
from crossres.experiments.scans import tile_name
from crossres.experiments.transfer import InitialModel, initial_model

__all__ = [
    "USAGE",
    "Experiment",
    "Field",
    "InitialModel",
    "code_hash",
    "fingerprint",
    "has_braces",
    "initial_model",
    "load_experiments",
    "new_folder",
    "new_images",
    "new_models",
    "skipped_files",
    "tile_name",
]
