"""Losses, the training loop, selection of the best model, and resuming."""

from crossres.training.loop import Diverged, TrainingData, train
from crossres.training.processes import run_team
from crossres.training.team import Team

__all__ = ["Diverged", "Team", "TrainingData", "run_team", "train"]
