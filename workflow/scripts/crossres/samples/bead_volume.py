"""Fluorescent nano-beads in a gel."""

from typing import Literal

from crossres.samples.sample import Sample
from crossres.section import Length, NotNegative


class BeadVolume(Sample):
    """Fluorescent nano-beads scattered through a gel."""

    imaged_by = ("volume",)

    kind: Literal["bead_volume"]
    """Nano-beads in a gel."""
    density_per_um3: Length = 0.05
    """Beads a cubic micrometre."""
    diameter_nm: NotNegative = 100.0
    """Diameter of a bead, in nm."""
    brightness_spread: NotNegative = 0.3
    """Standard deviation of the logarithm of the beads' brightness."""
