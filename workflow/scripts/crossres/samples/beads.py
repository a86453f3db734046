"""Fluorescent nano-beads on a coverslip."""

from typing import Literal

import numpy as np

from crossres.samples.sample import Emitters, PointSample
from crossres.section import Length, Lengths, NotNegative, Part


class Beads(PointSample):
    """Fluorescent nano-beads on a coverslip, some of them in close pairs."""

    imaged_by = ("pair", "repeats", "volume")

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

    def emitters(self, size_nm: tuple[float, float, float], rng: np.random.Generator) -> Emitters:
        """Scatter beads over a field, in its middle plane, some of them in close pairs.

        ``facts`` has ``pair``: a number that both beads of a pair share, -1 for single ones. The
        neighbours come on top of the density; those outside the field are left out.
        """
        depth_nm, height_nm, width_nm = size_nm
        count = rng.poisson(self.density_per_um2 * ((height_nm / 1e3) * (width_nm / 1e3)))
        centres = rng.uniform(0, [height_nm, width_nm], (count, 2))
        paired = np.flatnonzero(rng.random(count) < self.pair_fraction)
        distance_nm = rng.uniform(*self.pair_distance_nm, len(paired))
        angle = rng.uniform(0, 2 * np.pi, len(paired))
        step = distance_nm[:, None] * np.column_stack([np.sin(angle), np.cos(angle)])
        places = np.concatenate([centres, centres[paired] + step])
        pair = np.full(count, -1)
        pair[paired] = np.arange(len(paired))
        pair = np.concatenate([pair, np.arange(len(paired))])
        spread = self.brightness_spread
        brightness = rng.lognormal(-(spread**2) / 2, spread, len(places))
        inside = ((places >= 0) & (places < [height_nm, width_nm])).all(axis=1)
        position_nm = np.insert(places[inside], 0, depth_nm / 2, axis=1)
        return Emitters(
            position_nm, brightness[inside], self.diameter_nm, facts={"pair": pair[inside]}
        )
