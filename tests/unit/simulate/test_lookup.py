import numpy as np
import pytest

from crossres.simulate import Lookup

PIXEL_NM = 160.0


def wave(y_nm, x_nm):
    return 5.0 + np.cos(2 * np.pi * y_nm / 3000.0) * np.cos(2 * np.pi * x_nm / 2000.0 + 0.3)


@pytest.mark.parametrize("shape", [(7,), (3, 4)])
def test_an_image_is_read_at_any_place(rng, shape):
    y_nm, x_nm = ((np.arange(n) + 0.5) * PIXEL_NM for n in (60, 80))
    look_up = Lookup(wave(y_nm[:, None], x_nm).astype(np.float32), PIXEL_NM)
    place_nm = rng.uniform(1500.0, 8000.0, (2, *shape))
    np.testing.assert_allclose(look_up(place_nm), wave(*place_nm), atol=1e-3)
