import numpy as np
import pytest

from crossres.preprocess import PixelQuantiles

PERCENTS = [0, 0.01, 2, 13.7, 50, 99, 99.9, 99.999, 100]
RELATIVE = 2**-13


def images(rng, dtype, count=7):
    """Images of one microscope, some much brighter than others: few pixels are far up."""
    for n in range(count):
        counts = rng.lognormal(2 + 0.3 * n, 1.2, (60 + n, 80))
        yield (counts % 251 if dtype == np.uint8 else counts.clip(0, 60000)).astype(dtype)


def gathered(parts, **settings):
    found = PixelQuantiles(**settings)
    for part in parts:
        found.add(part)
    return found


def together(parts):
    return np.concatenate([part.ravel() for part in parts])


@pytest.mark.parametrize("exact_px", [0, 10_000, 2**25])
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16])
def test_integers_have_numpy_s_percentiles(rng, dtype, exact_px):
    parts = [part.astype(dtype) for part in images(rng, np.uint8)]
    expected = np.percentile(together(parts), PERCENTS)
    found = gathered(parts, exact_px=exact_px).percentiles(PERCENTS)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_whole_range_of_16_bits_is_counted():
    pixels = np.arange(2**16, dtype=np.uint16)
    expected = np.percentile(pixels, PERCENTS)
    np.testing.assert_allclose(gathered([pixels]).percentiles(PERCENTS), expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
def test_pixels_that_are_kept_have_numpy_s_percentiles(rng, dtype):
    parts = list(images(rng, dtype))
    expected = np.percentile(together(parts), PERCENTS)
    np.testing.assert_array_equal(gathered(parts).percentiles(PERCENTS), expected)


@pytest.mark.parametrize("exact_px", [0, 9_000])
@pytest.mark.parametrize("shift", [0.0, -150.0, 1e6])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
def test_more_pixels_than_are_kept_have_them_nearly(rng, dtype, shift, exact_px):
    parts = [(part + shift).astype(dtype) for part in images(rng, dtype)]
    expected = np.percentile(together(parts), PERCENTS)
    found = gathered(parts, exact_px=exact_px)
    np.testing.assert_allclose(found.percentiles(PERCENTS), expected, rtol=RELATIVE, atol=1e-40)
    assert found.percentiles([0, 100]).tolist() == pytest.approx(expected[[0, -1]], rel=1e-6)


def test_a_background_clipped_at_zero_stays_zero(rng):
    parts = [(part - 40).clip(0) for part in images(rng, np.float32)]
    expected = np.percentile(together(parts), [2, 99.9])
    found = gathered(parts, exact_px=0).percentiles([2, 99.9])
    assert expected[0] == 0
    assert abs(found[0]) < 1e-30
    assert found[1] == pytest.approx(expected[1], rel=RELATIVE)


def test_integers_and_fractions_may_be_mixed(rng):
    parts = [*images(rng, np.uint16), *images(rng, np.float32)]
    expected = np.percentile(together(parts).astype(np.float64), PERCENTS)
    np.testing.assert_allclose(gathered(parts).percentiles(PERCENTS), expected, rtol=RELATIVE)


def test_the_order_of_the_images_does_not_matter(rng):
    parts = list(images(rng, np.float32))
    there, back = (gathered(some, exact_px=9_000) for some in (parts, parts[::-1]))
    np.testing.assert_array_equal(there.percentiles(PERCENTS), back.percentiles(PERCENTS))


@pytest.mark.parametrize("exact_px", [0, 2**25])
@pytest.mark.parametrize("value", [0.0, 7.25, -3.5])
def test_one_value_throughout_is_every_percentile(value, exact_px):
    found = gathered([np.full((9, 8), value, np.float32)] * 3, exact_px=exact_px)
    assert found.percentiles([0, 2, 50, 100]).tolist() == [value] * 4


def test_count_and_range(rng):
    parts = list(images(rng, np.float32))
    found = gathered([np.empty((0, 4)), *parts])
    pixels = together(parts)
    assert (found.count, found.least, found.greatest) == (pixels.size, pixels.min(), pixels.max())


def test_an_image_may_change_after_it_was_given(rng):
    image = rng.random((30, 30))
    expected = np.percentile(image, PERCENTS)
    found = gathered([image])
    image[:] = 0
    np.testing.assert_array_equal(found.percentiles(PERCENTS), expected)


def test_memory_does_not_grow_with_the_images(rng):
    import tracemalloc

    image = rng.random((1000, 1000), dtype=np.float32)
    tracemalloc.start()
    gathered([image] * 60, exact_px=500_000).percentiles([2, 99.9])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # all of them would take 240 MB
    assert most < 130e6


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="NaN or Inf"):
        PixelQuantiles().add(np.array([1.0, value]))


def test_of_no_pixels_there_are_none():
    with pytest.raises(ValueError, match="no pixels"):
        PixelQuantiles().percentiles([50])
