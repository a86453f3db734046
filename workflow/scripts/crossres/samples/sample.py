"""Base classes of samples."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from crossres.section import Section

Haze = Callable[[tuple[int, int], float, np.ndarray], np.ndarray]
"""Draws light that comes from between the emitters: from the (Y, X) shape of an image, its pixel
size in nm and the (y, x) of its corner in nm, to the (Y, X) brightness a square nanometre."""


@dataclass(frozen=True)
class Emitters:
    """Points of light, independent of the microscope.

    Parameters
    ----------
    position_nm
        (N, 3): z, y, x from the edge of the imaged volume. The imaged volume of a flat field has
        no height: its focal plane is z = 0.
    brightness
        (N,), 1 on average.
    diameter_nm
        Diameter of each emitter, a ball.
    border_nm
        Width of the border around the field in which there are emitters too.
    facts
        Further columns of the truth, (N,) each, such as the pair that an emitter belongs to.
    haze
        Light from between the emitters, if there is any.
    """

    position_nm: np.ndarray
    brightness: np.ndarray
    diameter_nm: float
    border_nm: float = 0.0
    facts: Mapping[str, np.ndarray] = field(default_factory=dict)
    haze: Haze | None = None


@dataclass(frozen=True)
class Layers:
    """A thick sample as a stack of layers.

    Parameters
    ----------
    density
        (Z, Y, X) float32 fluorophores, not negative, in arbitrary units.
    height_nm
        (Z,) heights, evenly spaced; the autofocus settles at 0.
    brightness
        1 giving the camera's ``peak_photons``.
    """

    density: np.ndarray
    height_nm: np.ndarray
    brightness: float


class Sample(Section):
    """What is imaged; a class with ``kind``, the name it has in an experiment's file."""

    imaged_by: ClassVar[tuple[str, ...]] = ("pair", "repeats")
    """Kinds of acquisitions that can image it."""

    @classmethod
    def name(cls) -> str:
        """Return the kind, as the class states it."""
        (kind,) = cls.model_fields["kind"].annotation.__args__  # type: ignore[union-attr]
        return str(kind)


class PointSample(Sample):
    """Emitters, in the focal plane or at all depths."""

    @abstractmethod
    def emitters(self, size_nm: tuple[float, float, float], rng: np.random.Generator) -> Emitters:
        """Draw the emitters of one field.

        Parameters
        ----------
        size_nm
            (Z, Y, X) extent of what is imaged; Z is 0 for a single plane.
        rng
            Source of chance.
        """


class LayeredSample(Sample):
    """A density of fluorophores in several stains, a channel each."""

    @abstractmethod
    def layers(
        self,
        channel: str,
        size_nm: float,
        pixel_size_nm: float,
        places: np.random.Generator,
        structure: np.random.Generator,
    ) -> Layers:
        """Draw one channel of a scene.

        Parameters
        ----------
        channel
            Of the stain.
        size_nm
            Side of the scene.
        pixel_size_nm
            Lateral pixel size of the layers; pixel i has its centre at (i + 0.5) of them.
        places
            Random generator for what all channels share; give each channel the same.
        structure
            Random generator for this channel alone.
        """
