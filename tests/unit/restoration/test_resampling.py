import numpy as np
import pytest
import torch
import torch.nn.functional as F

from crossres.preprocess import resample
from crossres.restoration.resampling import (
    interpolation,
    resample_as_trained,
    resample_into,
    resampled_shape,
    trained_shape,
)

pytestmark = pytest.mark.slow

STEPS = [2.0, 1.5, 1.0, 0.75, 0.5, 100 / 65, 0.6]


def resampled(image, steps, shape=None, **more):
    image = np.asarray(image, dtype=np.float32)
    found = np.full(resampled_shape(image.shape, steps) if shape is None else shape, np.nan, "f4")
    resample_into(image, found, steps, **more)
    return found


def centres(n, step):
    return (np.arange(n) + 0.5) * step


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("shape", [(40, 40), (31, 54)])
def test_a_ramp_stays_one_at_its_exact_place(shape, step):
    y, x = (centres(n, 1.0) for n in shape)
    found = resampled(3 * y[:, None] - 2 * x + 50, (step, step))
    v, u = (centres(n, step) for n in found.shape)
    # the border is continued beyond the image, which a kernel of two wide pixels sees
    reach = 2 * max(1, step) + 0.5
    inner = np.ix_(*((c > reach) & (c < n - reach) for c, n in zip((v, u), shape, strict=True)))
    expected = 3 * v[:, None] - 2 * u + 50
    # a kernel stretched by no whole number reproduces a ramp to a fortieth of an old pixel
    off = (3 + 2) / 40 if step > 1 and step % 1 else 1e-3
    np.testing.assert_allclose(found[inner], expected[inner], atol=off)


@pytest.mark.parametrize("step", STEPS)
def test_a_constant_stays_constant_up_to_its_border(step):
    np.testing.assert_allclose(resampled(np.full((23, 9), 7.0), (step, step)), 7, rtol=1e-5)


@pytest.mark.parametrize("size", [(20, 24), (60, 90), (33, 47)])
def test_the_inner_pixels_are_those_of_an_independent_antialiased_cubic(rng, size):
    image = rng.random((40, 48), dtype=np.float32)
    steps = tuple(n / m for n, m in zip(image.shape, size, strict=True))
    expected = F.interpolate(
        torch.from_numpy(image)[None, None], size, mode="bicubic", antialias=True
    )[0, 0].numpy()
    found = resampled(image, steps, size)
    # at the border torch leaves out what lies beyond, and here it is continued
    edge = [int(np.ceil(2 * max(1, 1 / step) + 1)) for step in steps]
    inner = tuple(slice(e, -e) for e in edge)
    np.testing.assert_allclose(found[inner], expected[inner], atol=1e-5)


def test_what_the_new_grid_cannot_show_is_taken_away():
    # lines two pixels apart, seen by pixels of three: without antialiasing they would be as many
    lines = np.tile([0.0, 1.0], 60) * np.ones((30, 1))
    assert np.std(resampled(lines, (3.0, 3.0))[:, 4:-4]) < 0.01


@pytest.mark.parametrize("step", [0.5, 0.8, 100 / 65])
def test_there_and_back_a_smooth_image_is_what_it_was_on_its_own_grid(step):
    y, x = np.mgrid[:60, :75]
    image = (np.sin(y / 7) + np.cos(x / 9 + y / 11)).astype(np.float32)
    there = resampled(image, (step, step))
    back = resampled(there, (1 / step, 1 / step), image.shape)
    assert back.shape == image.shape
    inner = (slice(6, -6), slice(6, -6))
    np.testing.assert_allclose(back[inner], image[inner], atol=0.02)


@pytest.mark.parametrize("step", STEPS)
def test_the_new_pixels_cover_the_whole_image(step):
    for n in (1, 2, 31, 100):
        (m,) = resampled_shape((n,), (step,))
        assert n - 1e-3 <= m * step < n + step


def test_axes_are_resampled_one_by_one(rng):
    volume = rng.random((9, 20, 22), dtype=np.float32)
    found = resampled(volume, (1.0, 2.0, 2.0))
    np.testing.assert_allclose(found, [resampled(plane, (2.0, 2.0)) for plane in volume], rtol=1e-6)
    along_z = resampled(volume, (0.5, 1.0, 1.0))
    np.testing.assert_allclose(
        along_z[:, 3, 4], resampled(volume[:, 3:5, 4], (0.5, 1.0))[:, 0], rtol=1e-6
    )


@pytest.mark.parametrize("block_px", [1, 37, 10**6])
def test_blocks_leave_no_trace(rng, monkeypatch, block_px):
    volume = rng.random((5, 13, 17), dtype=np.float32)
    expected = resampled(volume, (1.5, 0.7, 0.7))
    monkeypatch.setattr("crossres.restoration.resampling.BLOCK_PX", block_px)
    np.testing.assert_allclose(resampled(volume, (1.5, 0.7, 0.7)), expected, rtol=1e-6)


def test_overshoots_are_raised_to_a_floor():
    edge = np.repeat([0.0, 1.0], 20) * np.ones((8, 1))
    assert resampled(edge, (1.0, 0.6)).min() < 0
    assert resampled(edge, (1.0, 0.6), floor=0.0).min() == 0


@pytest.mark.parametrize("step", STEPS)
def test_weights_of_a_new_pixel_sum_to_1(step):
    _, matrix = interpolation(3, 20, step, 30)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.parametrize("sizes", [(60.0, 30.0), (65.0, 23.7), (30.0, 47.0), (60.3, 60.0)])
@pytest.mark.parametrize("block_px", [1, 700, 10**6])
def test_block_by_block_it_is_the_trainings_resampling(rng, monkeypatch, order, sizes, block_px):
    image = rng.integers(0, 60000, (90, 71)).astype(np.float32)
    expected = resample(image, *sizes, order)
    monkeypatch.setattr("crossres.restoration.resampling.BLOCK_PX", block_px)
    steps = (sizes[1] / sizes[0],) * 2
    found = np.full(trained_shape(image.shape, steps), np.nan, np.float32)
    resample_as_trained(image, found, steps, order)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * 60000)


def test_the_trainings_resampling_leaves_slices_apart(rng):
    volume = rng.random((4, 20, 22), dtype=np.float32)
    found = np.zeros((4, 40, 44), np.float32)
    resample_as_trained(volume, found, (1.0, 0.5, 0.5), 3)
    expected = [resample(plane, 60.0, 30.0, 3) for plane in volume]
    np.testing.assert_allclose(found, expected, atol=1e-6)
