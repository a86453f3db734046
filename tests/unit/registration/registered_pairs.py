"""What the tests of registered pairs share."""

import numpy as np
from deformed_pairs import waves

from crossres.registration import register_pair
from crossres.settings import Registration

SHAPE = (192, 208)
PIXEL_NM = 30.0
MIN_TEXTURE = 0.1
SHIFT = (2.3, -1.7)
WAVES = waves(SHAPE, 1, 3.0, (300, 600))
METHODS = [("shift", "spline"), ("affine", "spline"), ("elastic", "spline"), ("elastic", "blocks")]
STILL = np.eye(2)


def register(pair, place=None, **settings):
    chosen = Registration(**{"min_texture": MIN_TEXTURE, **settings})
    return register_pair(*pair, chosen, (PIXEL_NM, PIXEL_NM), place)
