"""What is measured on the blind test fields."""

from typing import Annotated

from pydantic import AfterValidator, Field

from crossres.section import Length, Lengths, NotNegative, Section


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError("must be odd, so that it has a middle pixel")
    return value


class Modulation(Section):
    """Modulation depth and sharpness where the target varies most."""

    window_px: Annotated[int, Field(ge=3)] = 11
    """Side of the windows, about the distance of neighbouring structures, in pixels of the
    target."""


class Spots(Section):
    """Isolated spots, found in the target, for FWHM and SNR; in images also close pairs."""

    fwhm_nm: Length = 120.0
    """Expected lateral FWHM of a spot in the target, in nm."""
    axial_fwhm_nm: Length | None = None
    """Expected axial FWHM of a spot in the target, in nm; volumes need it."""
    crop_px: Annotated[int, Field(ge=5), AfterValidator(_odd)] = 19
    """Side of the square that is fitted, in pixels, odd; 19 as published."""
    isolation_nm: NotNegative = 700.0
    """A spot counts as isolated with no other within this distance, in nm."""
    threshold_sigma: Length = 8.0
    """Detection threshold in standard deviations of the background."""
    pair_distance_nm: Lengths = (150.0, 290.0)
    """Least and greatest distance of the close pairs that are drawn as profiles, in nm."""


class Measure(Section):
    """What is measured on the blind test fields, beside the similarity to target and truth."""

    modulation: Modulation | None = None
    """Modulation depth and sharpness where the target varies most; null does not measure it."""
    spots: Spots | None = None
    """Isolated spots, found in the target, for FWHM and SNR; null looks for none."""
