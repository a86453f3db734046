"""What every sample is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from crossres.section import Section


@dataclass(frozen=True)
class Emitters:
    """Points of light, as any microscope may look at them.

    Parameters
    ----------
    position_nm
        (N, 3): z, y, x. y and x count from the field's edge, z from the focal plane of the middle
        slice. Some may lie outside the field.
    brightness
        (N,), 1 on average.
    diameter_nm
        Of each emitter, a ball.
    facts
        Further columns of the truth, (N,) each, such as the pair that an emitter belongs to.
    """

    position_nm: np.ndarray
    brightness: np.ndarray
    diameter_nm: float
    facts: Mapping[str, np.ndarray] = field(default_factory=dict)


class Sample(Section):
    """What is imaged; a class with ``kind``, the name it has in an experiment's file."""

    imaged_by: ClassVar[tuple[str, ...]] = ("pair", "repeats", "volume")
    """Kinds of acquisitions that can image it."""

    @classmethod
    def name(cls) -> str:
        """Return the kind, as the class states it."""
        (kind,) = cls.model_fields["kind"].annotation.__args__  # type: ignore[union-attr]
        return str(kind)
