"""The configuration and the sheets: which fields, which split, which settings.

Only light imports here: every start of Snakemake reads this room.
"""

from crossres.experiments.configuration import load_config, load_experiment_settings
from crossres.experiments.experiment import Experiment, Field
from crossres.experiments.loading import load_experiments
from crossres.experiments.provenance import code_hash
from crossres.experiments.scans import tile_name
from crossres.experiments.transfer import InitialModel, initial_model

__all__ = [
    "Experiment",
    "Field",
    "InitialModel",
    "code_hash",
    "initial_model",
    "load_config",
    "load_experiment_settings",
    "load_experiments",
    "tile_name",
]
