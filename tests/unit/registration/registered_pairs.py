"""What the tests of registered pairs share."""

import numpy as np
from deformed_pairs import waves

from crossres.registration import register_pair

SHAPE = (192, 208)
PIXEL_NM = 30.0
SETTINGS = {"method": "shift", "locate": False, "scheme": "spline", "spacing_px": 48,
            "max_shift_nm": 300, "min_correlation": 0.2, "max_deformation_px": 10,
            "max_residual_px": 0.3, "min_texture": 0.1, "crop_px": 10}  # fmt: skip
SHIFT = (2.3, -1.7)
WAVES = waves(SHAPE, 1, 3.0, (300, 600))
METHODS = [("shift", "spline"), ("affine", "spline"), ("elastic", "spline"), ("elastic", "blocks")]
STILL = np.eye(2)


def register(pair, place=None, **settings):
    return register_pair(*pair, {**SETTINGS, **settings}, PIXEL_NM, place)
