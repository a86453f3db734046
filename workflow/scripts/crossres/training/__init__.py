"""Losses, the training loop, selection of the best model, and resuming."""

from crossres.training.loop import TrainingData, train

__all__ = ["TrainingData", "train"]
