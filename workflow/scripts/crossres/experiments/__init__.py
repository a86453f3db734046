"""Which fields there are, which split each belongs to, and where everything lies.

Only light imports here: every start of Snakemake reads this room.
"""

from crossres.experiments.copies import require_no_copies
from crossres.experiments.experiment import UNRESTORED, Experiment, Restoration
from crossres.experiments.fields import MEASURED, Field, RawFile, Tile, tile_name
from crossres.experiments.layout import Layout
from crossres.experiments.loading import load_experiments
from crossres.experiments.preparation import Preparation
from crossres.experiments.provenance import code_hash, fingerprint
from crossres.experiments.results import ChannelResults
from crossres.experiments.transfer import InitialModel, initial_model

__all__ = [
    "MEASURED",
    "UNRESTORED",
    "ChannelResults",
    "Experiment",
    "Field",
    "InitialModel",
    "Layout",
    "Preparation",
    "RawFile",
    "Restoration",
    "Tile",
    "code_hash",
    "fingerprint",
    "initial_model",
    "load_experiments",
    "require_no_copies",
    "tile_name",
]
