"""One method's image of one field, with what it is measured against."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from crossres.measure.spots import find_spots, fit_spots, isolated
from crossres.measure.volume_spots import fit_volume_spots
from crossres.settings import Measure, Spots


@dataclass(frozen=True)
class MeasuredImage:
    """What a measurement is given.

    Places, such as those of spots, are found in the target alone: every method is measured at the
    same ones.

    Parameters
    ----------
    method
        Name of the method, "input", "target" and "truth" among them.
    image
        ([Z,] Y, X) counts.
    target
        ([Z,] Y, X) counts, registered onto the input.
    pixel_size_nm
        Lateral, of all of them.
    z_step_nm
        Distance of two slices; None of images.
    settings
        ``measure`` of the experiment.
    truth
        ([Z,] Y, X) expected counts of the target without noise; None where it is not known.
    scans
        Further scans of the target, ([Z,] Y, X) counts each.
    """

    method: str
    image: np.ndarray
    target: np.ndarray
    pixel_size_nm: float
    z_step_nm: float | None = None
    settings: Measure = field(default_factory=Measure)
    truth: np.ndarray | None = None
    scans: tuple[np.ndarray, ...] = ()

    @property
    def steps_nm(self) -> tuple[float, ...]:
        """Distance of two pixels along each axis."""
        lateral = (self.pixel_size_nm, self.pixel_size_nm)
        if self.target.ndim == 2:
            return lateral
        if self.z_step_nm is None:
            raise ValueError("a volume without z_step_nm cannot be measured")
        return (self.z_step_nm, *lateral)

    @property
    def spot_fwhm_nm(self) -> tuple[float, ...]:
        """Expected FWHM of a spot in the target along each axis."""
        spots = self._spot_settings
        lateral = (spots.fwhm_nm, spots.fwhm_nm)
        if self.target.ndim == 2:
            return lateral
        if spots.axial_fwhm_nm is None:
            raise ValueError("measure.spots.axial_fwhm_nm is missing, which volumes need")
        return (spots.axial_fwhm_nm, *lateral)

    @cached_property
    def spots_px(self) -> np.ndarray:
        """(N, 2) or (N, 3) places of all spots in the target."""
        fwhm_px = np.divide(self.spot_fwhm_nm, self.steps_nm)
        return find_spots(self.target, fwhm_px, self._spot_settings.threshold_sigma)

    @property
    def crop_px(self) -> tuple[int, ...]:
        """Odd sides of the crop that is fitted: along z as many FWHM of the target as laterally."""
        side = self._spot_settings.crop_px
        if self.target.ndim == 2:
            return (side, side)
        axial_px, lateral_px, _ = np.divide(self.spot_fwhm_nm, self.steps_nm)
        return (2 * max(2, round(side / 2 * axial_px / lateral_px)) + 1, side, side)

    @cached_property
    def beads_px(self) -> np.ndarray:
        """Places of the isolated spots that a crop can be cut around."""
        distance_nm = self._spot_settings.isolation_nm
        alone = self.spots_px[isolated(self.spots_px * self.steps_nm, distance_nm)]
        # a crop may lose slices at the ends of a stack, where half of them stay on either side
        margin = np.array([n // 2 for n in self.crop_px])
        margin[:-2] //= 2
        inside = (alone >= margin) & (alone < np.array(self.target.shape) - margin)
        kept: np.ndarray = alone[inside.all(axis=1)]
        return kept

    @cached_property
    def bead_fits(self) -> pd.DataFrame:
        """Gaussian fitted to this image at each of :attr:`beads_px`, a row each."""
        if self.target.ndim == 2:
            return fit_spots(self.image, self.beads_px, self.pixel_size_nm, self.crop_px[-1])
        return fit_volume_spots(self.image, self.beads_px, self.steps_nm, self.crop_px)

    def place_nm(self, place_px: np.ndarray) -> tuple[float, ...]:
        """Return where the centre of a pixel lies, from the corner of the field."""
        return tuple(float(nm) for nm in (place_px + 0.5) * self.steps_nm)

    @property
    def _spot_settings(self) -> Spots:
        if self.settings.spots is None:
            raise ValueError("measure.spots is not set")
        return self.settings.spots
