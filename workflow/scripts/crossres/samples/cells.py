"""Endothelial cells on a coverslip, in several stains."""

from typing import Annotated, Literal

from pydantic import Field

from crossres.samples.sample import Sample
from crossres.section import ChannelName, Length, NotNegative, Part, Positive, Section


class Filaments(Section):
    """Fibres of a cytoskeleton."""

    structure: Literal["filaments"]
    """Fibres of a cytoskeleton."""
    brightness: Length = 1.0
    """Brightness, 1 giving the camera's `peak_photons`."""
    fibre_count: Positive = 100
    """Fibres in a cell of mean size."""
    width_nm: Length = 250.0
    """Width of a fibre, in nm."""
    curvature: NotNegative = 0.02
    """Spread of the curvature, in 1/µm."""
    strands: Positive = 1
    """Strands of a bundle."""
    alignment: Part = 0.5
    """Part of the fibres that run along the cell."""
    haze: Part = 0.3
    """Part of the light that comes from between the fibres."""


class Nuclei(Section):
    """Grainy chromatin with dark nucleoli."""

    structure: Literal["nuclei"]
    """Nuclei of grainy chromatin with dark nucleoli."""
    brightness: Length = 1.0
    """Brightness, 1 giving the camera's `peak_photons`."""


Stain = Annotated[Filaments | Nuclei, Field(discriminator="structure")]


class Cells(Sample):
    """Endothelial cells on a coverslip, in several stains."""

    imaged_by = ("stage",)

    kind: Literal["cells"]
    """Cells on a coverslip."""
    density_per_mm2: NotNegative = 450.0
    """Cells a square millimetre."""
    thickness_um: Length = 4.0
    """Thickness of the cells, in µm."""
    stains: Annotated[dict[ChannelName, Stain], Field(min_length=1)]
    """What is stained in each channel, by its name."""
