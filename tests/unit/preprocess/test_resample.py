import numpy as np
import pytest
from scipy.ndimage import zoom

from crossres.preprocess import resample

RATIOS = [2.0, 2.17, 1.5, 1.0, 0.5, 5 / 3]


def centres_nm(n, pixel_nm):
    return (np.arange(n) + 0.5) * pixel_nm


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.parametrize("shape", [(24, 24), (21, 34)])
def test_a_linear_ramp_stays_one_at_its_exact_place(shape, order, ratio):
    old_nm, new_nm = 65.0, 65.0 / ratio
    y, x = (centres_nm(n, old_nm) for n in shape)
    ramp = 3.0 * y[:, None] - 2.0 * x[None, :] + 500.0
    found = resample(ramp, old_nm, new_nm, order)
    v, u = (centres_nm(n, new_nm) for n in found.shape)
    expected = 3.0 * v[:, None] - 2.0 * u[None, :] + 500.0
    # beyond the outermost centres the border is repeated; a cubic spline feels it for some pixels
    reach_nm = (0.5 if order == 1 else 7) * old_nm
    inner = np.ix_(
        *(
            (at > reach_nm) & (at < n * old_nm - reach_nm)
            for at, n in ((v, shape[0]), (u, shape[1]))
        )
    )
    np.testing.assert_allclose(found[inner], expected[inner], atol=0.02 if order == 1 else 1.0)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("order", [1, 3])
def test_a_blob_stays_where_it_is_in_nm(order, ratio):
    y, x = centres_nm(41, 100.0), centres_nm(50, 100.0)
    blob = np.exp(-((y[:, None] - 1730.0) ** 2 + (x[None, :] - 2915.0) ** 2) / (2 * 300.0**2))
    found = resample(blob, 100.0, 100.0 / ratio, order).astype(float)
    v, u = (centres_nm(n, 100.0 / ratio) for n in found.shape)
    centroid = (found.sum(axis=1) @ v / found.sum(), found.sum(axis=0) @ u / found.sum())
    assert centroid == pytest.approx((1730.0, 2915.0), abs=0.5)


@pytest.mark.parametrize(
    ("shape", "old_nm", "new_nm", "expected"),
    [((10, 13), 60.0, 30.0, (20, 26)), ((10, 13), 65.0, 30.0, (22, 28)),
     ((10, 14), 30.0, 60.0, (5, 7)), ((9, 9), 30.0, 30.0, (9, 9))],
)  # fmt: skip
def test_field_of_view_is_kept(shape, old_nm, new_nm, expected):
    assert resample(np.zeros(shape), old_nm, new_nm).shape == expected


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("ratio", RATIOS)
def test_a_constant_stays_constant_up_to_its_border_as_float32(dtype, ratio):
    found = resample(np.full((11, 8), 200, dtype), 50.0, 50.0 / ratio)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, 200, rtol=1e-6)


def test_twofold_linear_interpolation_by_hand():
    # new centres lie a quarter of an old pixel to either side of the old ones
    found = resample(np.array([[0.0, 4.0, 8.0]] * 3), 2.0, 1.0)
    np.testing.assert_allclose(found[2], [0, 1, 3, 5, 7, 8], atol=1e-6)


@pytest.mark.parametrize("z_ratio", [1.0, 2.0, 0.5, 1.7])
@pytest.mark.parametrize("ratio", [1.0, 2.0, 1.5])
@pytest.mark.parametrize("order", [1, 3])
def test_a_ramp_through_a_volume_stays_one_at_its_exact_place(order, ratio, z_ratio):
    shape, old_nm = (22, 24, 27), (150.0, 60.0, 60.0)
    new_nm = (150.0 / z_ratio, 60.0 / ratio, 60.0 / ratio)

    def ramp(shape, steps_nm):
        z, y, x = (centres_nm(n, step) for n, step in zip(shape, steps_nm, strict=True))
        return 2.0 * z[:, None, None] + 3.0 * y[:, None] - 2.0 * x + 500.0

    found = resample(ramp(shape, old_nm), old_nm, new_nm, order)
    assert found.shape == tuple(
        round(n * a / b) for n, a, b in zip(shape, old_nm, new_nm, strict=True)
    )
    # beyond the outermost centres the border is repeated; a cubic spline feels it for some pixels
    reach = 0.5 if order == 1 else 7
    inner = np.ix_(
        *(
            (centres_nm(m, b) > reach * a) & (centres_nm(m, b) < (n - reach) * a)
            for m, n, a, b in zip(found.shape, shape, old_nm, new_nm, strict=True)
        )
    )
    expected = ramp(found.shape, new_nm)
    np.testing.assert_allclose(found[inner], expected[inner], atol=0.02 if order == 1 else 1.0)


@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.parametrize("factors", [(2, 1, 1), (3, 2, 2), (1, 2, 2)])
def test_a_volume_is_resampled_as_scipy_zooms_on_a_grid_of_pixels(rng, factors, order):
    volume = rng.random((5, 8, 9), dtype=np.float32)
    old_nm = (120.0, 60.0, 60.0)
    new_nm = [old / factor for old, factor in zip(old_nm, factors, strict=True)]
    # grid_mode is the half-pixel convention
    expected = zoom(volume, factors, order=order, mode="nearest", grid_mode=True)
    np.testing.assert_allclose(resample(volume, old_nm, new_nm, order), expected, atol=1e-5)


def test_twofold_interpolation_along_z_by_hand():
    volume = np.array([0.0, 4.0, 8.0])[:, None, None] * np.ones((1, 3, 3))
    found = resample(volume, (2.0, 7.0, 7.0), (1.0, 7.0, 7.0))
    np.testing.assert_allclose(found[:, 1, 1], [0, 1, 3, 5, 7, 8], atol=1e-6)


def test_a_blob_in_a_volume_stays_where_it_is_in_nm():
    z, y, x = centres_nm(30, 200.0), centres_nm(41, 100.0), centres_nm(50, 100.0)
    away = (z[:, None, None] - 2870) ** 2 + (y[:, None] - 1730) ** 2 + (x - 2915) ** 2
    found = resample(np.exp(-away / (2 * 450.0**2)), (200.0, 100.0, 100.0), (90.0, 60.0, 60.0))
    centroid = [
        np.average(centres_nm(n, step), weights=found.sum(axis=tuple({0, 1, 2} - {axis})))
        for axis, (n, step) in enumerate(zip(found.shape, (90.0, 60.0, 60.0), strict=True))
    ]
    assert centroid == pytest.approx([2870, 1730, 2915], abs=0.5)


@pytest.mark.parametrize(
    ("shape", "steps"),
    [
        ((4, 10, 13), (60.0, 30.0)),
        ((2, 4, 10, 13), (60.0, 30.0)),
        ((3, 6, 10, 13), ((90.0, 60.0, 60.0), (60.0,) * 3)),
    ],
)
def test_every_frame_is_resampled_by_itself(rng, shape, steps):
    film = rng.random(shape, dtype=np.float32)
    found = resample(film, *steps, order=3)
    for t in range(shape[0]):
        np.testing.assert_array_equal(found[t], resample(film[t], *steps, order=3))
    film[0] += 1000
    np.testing.assert_array_equal(resample(film, *steps, order=3)[1:], found[1:])
