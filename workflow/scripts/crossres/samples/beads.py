"""Fluorescent nano-beads on a coverslip."""

from typing import Literal

from crossres.samples.sample import Sample
from crossres.section import Length, Lengths, NotNegative, Part


class Beads(Sample):
    """Fluorescent nano-beads on a coverslip, some of them in close pairs."""

    kind: Literal["beads"]
    """Nano-beads on a coverslip."""
    density_per_um2: Length = 0.45
    """Beads a square micrometre."""
    diameter_nm: NotNegative = 20.0
    """Diameter of a bead, in nm."""
    pair_fraction: Part = 0.15
    """Part of the beads that get a close neighbour."""
    pair_distance_nm: Lengths = (130.0, 290.0)
    """Least and greatest distance within a pair, in nm."""
    brightness_spread: NotNegative = 0.3
    """Standard deviation of the logarithm of the beads' brightness."""
