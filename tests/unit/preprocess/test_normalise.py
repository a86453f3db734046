import numpy as np
import pytest

from crossres.preprocess import PixelQuantiles, Scale, scale_from_percentiles


def test_percentiles_become_zero_and_one():
    # of 0 ... 1000 the percentiles are ten times their percent
    scale = scale_from_percentiles(np.arange(1001), 2, 99.9)
    assert (scale.offset, scale.span) == (pytest.approx(20), pytest.approx(979))
    np.testing.assert_allclose(scale.apply(np.array([20, 999])), [0, 1], atol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_values_beyond_the_percentiles_are_kept(dtype):
    found = Scale(offset=100.0, span=50.0).apply(np.array([[0, 100], [125, 200]], dtype))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[-2, 0], [0.5, 2]], atol=1e-6)


def test_inverse_brings_the_counts_back(rng):
    counts = rng.integers(0, 65535, (13, 7), dtype=np.uint16)
    scale = Scale(offset=312.5, span=8123.25)
    np.testing.assert_allclose(scale.invert(scale.apply(counts)), counts, atol=0.05)


def test_one_scale_keeps_the_brightness_of_two_fields_apart():
    scale = scale_from_percentiles(np.arange(1001), 0, 100)
    dim, bright = scale.apply(np.array([100.0])), scale.apply(np.array([400.0]))
    assert bright / dim == pytest.approx(4.0)


@pytest.mark.parametrize(("pixels", "low", "high"), [(np.full(50, 7), 2, 99.9),
                                                     (np.arange(50), 30, 30),
                                                     (np.arange(50), 90, 10)])  # fmt: skip
def test_percentiles_that_coincide_are_refused(pixels, low, high):
    with pytest.raises(ValueError, match=f"percentiles {low} and {high}"):
        scale_from_percentiles(pixels, low, high)


def test_pixels_gathered_image_by_image_give_the_scale_of_all():
    gathered = PixelQuantiles()
    for part in np.split(np.arange(1001.0), [100, 730]):
        gathered.add(part)
    assert scale_from_percentiles(gathered, 2, 99.9) == scale_from_percentiles(
        np.arange(1001.0), 2, 99.9
    )
