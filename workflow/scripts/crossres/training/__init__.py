"""Losses, the training loop, selection of the best model, and resuming."""

from crossres.training.devices import choose_device
from crossres.training.loop import TrainingData, train

__all__ = ["TrainingData", "choose_device", "train"]
