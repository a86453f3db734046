"""Microscopes that several tests look through."""

import numpy as np
from scipy.special import j1

from crossres.settings import STED, Confocal, Widefield

COMMON = {"wavelength_nm": 645.0, "na": 1.4, "refractive_index": 1.515}
BEAM = {"excitation_nm": 633.0, "pinhole_airy_units": 1.0}
WIDEFIELD = Widefield(kind="widefield", **COMMON)
CONFOCAL = Confocal(kind="confocal", **COMMON, **BEAM)
STED_10 = STED(kind="sted", **COMMON, **BEAM, depletion_nm=775.0, saturation_factor=10.0)
CLOSED = 1e-9
"""Airy units of a pinhole as good as closed."""


def changed(microscope, **settings):
    return microscope.model_copy(update=settings)


def airy(radius_nm, wavelength_nm, na):
    """Born & Wolf 8.5.2, eq. 14."""
    v = np.maximum(2 * np.pi * na / wavelength_nm * radius_nm, 1e-9)
    return (2 * j1(v) / v) ** 2
