"""Endothelial cells on a coverslip, in several stains."""

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from crossres.samples.sample import LayeredSample, Layers
from crossres.section import ChannelName, Length, NotNegative, Part, Positive, Section

if TYPE_CHECKING:
    import pandas as pd

LAYERS = 5
"""Evenly spaced over the thickness."""


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
    haze: Annotated[float, Field(ge=0, lt=1)] = 0.3
    """Part of the light that comes from between the fibres."""

    def draw(
        self,
        volume: np.ndarray,
        cells: "pd.DataFrame",
        pixel_nm: float,
        layers_nm: np.ndarray,
        rng: np.random.Generator,
    ) -> None:
        """Add the fibres of all cells to a volume (Z, Y, X), in place."""
        from crossres.samples.drawing.filaments import draw_filaments

        draw_filaments(volume, cells, self, pixel_nm, layers_nm, rng)


class Nuclei(Section):
    """Grainy chromatin with dark nucleoli."""

    structure: Literal["nuclei"]
    """Nuclei of grainy chromatin with dark nucleoli."""
    brightness: Length = 1.0
    """Brightness, 1 giving the camera's `peak_photons`."""

    def draw(
        self,
        volume: np.ndarray,
        cells: "pd.DataFrame",
        pixel_nm: float,
        layers_nm: np.ndarray,
        rng: np.random.Generator,
    ) -> None:
        """Add the nuclei of all cells to a volume (Z, Y, X), in place."""
        from crossres.samples.drawing.chromatin import draw_nuclei

        draw_nuclei(volume, cells, pixel_nm, layers_nm, rng)


Stain = Annotated[Filaments | Nuclei, Field(discriminator="structure")]


class Cells(LayeredSample):
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

    def layers(
        self,
        channel: str,
        size_nm: float,
        pixel_size_nm: float,
        places: np.random.Generator,
        structure: np.random.Generator,
    ) -> Layers:
        """Draw the stain of one channel, half of the cells' thickness on either side of focus."""
        from crossres.samples.drawing.cells import place_cells

        half_nm = self.thickness_um * 1e3 / 2
        height_nm = np.linspace(-half_nm, half_nm, LAYERS)
        cells = place_cells(size_nm, self.density_per_mm2, places)
        side = round(size_nm / pixel_size_nm)
        density = np.zeros((LAYERS, side, side), np.float32)
        stain = self.stains[channel]
        stain.draw(density, cells, pixel_size_nm, height_nm, structure)
        return Layers(density, height_nm, stain.brightness)
