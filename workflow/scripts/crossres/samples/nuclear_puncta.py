"""Nuclei of HeLa cells with dense puncta of a histone mark."""

from typing import Annotated, Literal

from pydantic import Field

from crossres.samples.sample import Sample
from crossres.section import Length, NotNegative

LessThanAll = Annotated[float, Field(ge=0, lt=1)]


class NuclearPuncta(Sample):
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
