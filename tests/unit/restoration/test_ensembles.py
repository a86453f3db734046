import numpy as np
import pytest

from crossres.images import StoredArray
from crossres.restoration.ensembles import ORIENTATIONS, Average, Oriented

SHAPES = [(5, 8), (3, 6, 4)]


def whole(shape):
    return tuple(slice(0, n) for n in shape)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_orientations_are_the_eight_of_a_square(rng, shape):
    image = rng.random(shape)
    found = [Oriented(image, o)[whole(Oriented(image, o).shape)] for o in ORIENTATIONS]
    turned = [np.rot90(image, k, axes=(-2, -1)) for k in range(4)]
    expected = turned + [each[..., ::-1] for each in turned]
    assert len(found) == 8
    for each in expected:
        assert sum(np.array_equal(each, other) for other in found) == 1


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("stored", [False, True])
def test_windows_of_an_orientation_are_those_of_the_turned_array(
    rng, tmp_path, shape, orientation, stored
):
    image = rng.random(shape).astype(np.float32)
    pixels = image
    if stored:
        pixels = StoredArray.create(tmp_path / "a", np.float32, shape)
        pixels[...] = image
    oriented = Oriented(pixels, orientation)
    turned = oriented[whole(oriented.shape)]
    window = tuple(slice(0, n - 2) for n in oriented.shape)
    np.testing.assert_array_equal(oriented[window], turned[window])


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_written_window_by_window_is_turned_back_exactly(rng, shape, orientation):
    image, target = rng.random(shape), np.zeros(shape)
    there, back = Oriented(image, orientation), Oriented(target, orientation)
    for row in range(there.shape[-2]):
        window = (*whole(there.shape[:-2]), slice(row, row + 1), slice(0, there.shape[-1]))
        back[window] = there[window]
    np.testing.assert_array_equal(target, image)


def test_a_single_value_fills_a_window():
    target = np.zeros((4, 6))
    Oriented(target, (True, True, False))[slice(0, 2), slice(0, 4)] = 3
    assert target.sum() == 3 * 8


@pytest.mark.parametrize("members", [1, 2, 8])
def test_mean_and_spread_are_those_of_all_members(rng, members):
    images = (1e4 + rng.random((members, 7, 9))).astype(np.float32)
    mean, spread = np.full((2, 7, 9), np.nan, np.float32)
    average = Average(mean, spread)
    for image in images:
        average.add(image)
    average.finish()
    exact = images.astype(np.float64)
    # large values, small differences: sums of squares would have lost them in float32
    np.testing.assert_allclose(mean, exact.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(spread, exact.std(axis=0), atol=2e-3)
