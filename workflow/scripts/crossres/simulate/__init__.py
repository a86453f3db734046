"""Samples, seen through optics, as raw files that a microscope would have written."""

from crossres.simulate.acquisition import acquire_pair
from crossres.simulate.beads import place_beads

__all__ = ["acquire_pair", "place_beads"]
