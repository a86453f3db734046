import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from crossres.registration import warp
from plot_registration import unmoved


@pytest.mark.parametrize(
    ("shape", "moves"), [((50, 61), (1.5, -2.0)), ((9, 50, 61), (0.5, 1.5, -2))]
)
def test_before_the_correction_the_target_lay_where_it_was_taken(rng, shape, moves):
    taken = gaussian_filter(rng.random(shape).astype(np.float32), 2.0)
    whole = np.ones((len(shape), *shape), np.float32)
    whole *= np.reshape(moves, (-1, *[1] * len(shape))).astype(np.float32)
    registered = warp(taken, whole)
    # written on squares of 8 pixels, of whole ones alone
    found = unmoved(registered, whole[..., :6, :7])
    inner = (..., *[slice(5, -5)] * 2)
    middle = found[4] if len(shape) == 3 else found
    expected = taken[4] if len(shape) == 3 else taken
    np.testing.assert_allclose(middle[inner], expected[inner], atol=0.02)
