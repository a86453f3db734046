"""Nuclei of HeLa cells with dense puncta of a histone mark."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from crossres.samples.sample import Emitters, PointSample
from crossres.section import Length, NotNegative

BORDER_NM = 1000.0
"""Margin around the field in which puncta still shine into it."""

LessThanAll = Annotated[float, Field(ge=0, lt=1)]


class NuclearPuncta(PointSample):
    """Nuclei of HeLa cells with dense puncta (H3K4me3)."""

    kind: Literal["nuclear_puncta"]
    """Nuclei full of puncta."""
    puncta_per_um2: Length = 18.0
    """Puncta a square micrometre of nucleus, outside the nucleoli."""
    diameter_nm: NotNegative = 40.0
    """Diameter of a punctum, in nm."""
    brightness_spread: NotNegative = 0.6
    """Standard deviation of the logarithm of the puncta's brightness."""
    haze: LessThanAll = 0.15
    """Part of the light that comes from between the puncta."""

    def emitters(self, size_nm: tuple[float, float, float], rng: np.random.Generator) -> Emitters:
        """Fill nuclei with puncta, in the middle plane of a square field.

        ``facts`` has ``nucleus``, a number that all puncta of a nucleus share. Some puncta lie
        outside the field, even beyond its border.
        """
        from crossres.samples.drawing.nuclei import draw_haze, place_nuclei, place_puncta

        depth_nm, side_nm, _ = size_nm
        nuclei = place_nuclei(side_nm, rng)
        places, nucleus = place_puncta(nuclei, self.puncta_per_um2, rng)
        spread = self.brightness_spread
        brightness = rng.lognormal(-(spread**2) / 2, spread, len(places))
        # deep in a nucleus the puncta give their density of light on average
        deep_per_nm2 = self.haze / (1 - self.haze) * self.puncta_per_um2 / 1e6

        def haze(shape: tuple[int, int], pixel_nm: float, corner_nm: np.ndarray) -> np.ndarray:
            return deep_per_nm2 * draw_haze(nuclei, shape, pixel_nm, corner_nm)

        return Emitters(
            np.insert(places, 0, depth_nm / 2, axis=1),
            brightness,
            self.diameter_nm,
            border_nm=BORDER_NM,
            facts={"nucleus": nucleus},
            haze=haze if self.haze > 0 else None,
        )
