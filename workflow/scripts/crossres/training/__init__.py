"""Losses, the training loop, selection of the best model, and resuming."""

from crossres.training.batches import Foreground
from crossres.training.launcher import launch
from crossres.training.loop import Diverged, TrainingData, train
from crossres.training.process_group import ProcessGroup
from crossres.training.recipe import Recipe, facts_of

__all__ = [
    "Diverged",
    "Foreground",
    "ProcessGroup",
    "Recipe",
    "TrainingData",
    "facts_of",
    "launch",
    "train",
]
