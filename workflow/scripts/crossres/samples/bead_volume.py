"""Fluorescent nano-beads in a gel."""

from typing import Literal

import numpy as np

from crossres.samples.sample import Emitters, PointSample
from crossres.section import Length, NotNegative

BORDER_NM = 2000.0
"""Margin around the imaged volume in which beads still shine into it."""


class BeadVolume(PointSample):
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

    def emitters(self, size_nm: tuple[float, float, float], rng: np.random.Generator) -> Emitters:
        """Scatter beads through the imaged volume and a border around it, above and below too."""
        wide_nm = np.array(size_nm) + 2 * BORDER_NM
        count = rng.poisson(self.density_per_um3 * np.prod(wide_nm / 1e3))
        position_nm = rng.uniform(-BORDER_NM, wide_nm - BORDER_NM, (count, 3))
        spread = self.brightness_spread
        brightness = rng.lognormal(-(spread**2) / 2, spread, count)
        return Emitters(position_nm, brightness, self.diameter_nm, border_nm=BORDER_NM)
