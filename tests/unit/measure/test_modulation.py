import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from crossres.measure.modulation import modulation

SHAPE = (120, 160)
WINDOW_PX = 17


def stripes(mean=100.0, amplitude=50.0, period_px=8.0, angle=0.0, shape=SHAPE):
    """A sinusoid about a mean: a + b sin."""
    y, x = np.indices(shape)
    along = np.cos(angle) * x + np.sin(angle) * y
    return mean + amplitude * np.sin(2 * np.pi * along / period_px)


def measured(image, target=None, window_px=WINDOW_PX):
    return modulation(image, image if target is None else target, window_px)


@pytest.mark.parametrize("angle", [0.0, 0.6, np.pi / 2])
@pytest.mark.parametrize(("mean", "amplitude"), [(100, 50), (100, 5), (30, 30), (2000, 700)])
def test_depth_of_a_sinusoid_is_its_amplitude_over_its_mean(mean, amplitude, angle):
    # pixels lie no further than a sixteenth of a period from a crest
    image = stripes(mean, amplitude, 16.0, angle)
    assert measured(image)["modulation_depth"] == pytest.approx(amplitude / mean, rel=0.03)


def test_sharpness_of_a_sinusoid_is_its_slope_over_its_mean():
    # the slope of b sin(k x) is b k / root 2 in the root mean square
    expected = 50 * 2 * np.pi / 40 / np.sqrt(2) / 100
    assert measured(stripes(period_px=40), window_px=41)["sharpness"] == pytest.approx(
        expected, rel=0.05
    )


def test_structures_on_black_are_modulated_fully():
    image = np.zeros(SHAPE)
    image[::6] = 70.0
    assert measured(image)["modulation_depth"] == pytest.approx(1.0)


def test_without_structure_there_is_no_modulation():
    found = measured(np.full(SHAPE, 30.0), target=stripes())
    assert found == {"modulation_depth": 0.0, "sharpness": 0.0}


def test_a_black_image_is_not_modulated():
    found = measured(np.zeros(SHAPE), target=stripes())
    assert found == {"modulation_depth": 0.0, "sharpness": 0.0}


@pytest.mark.parametrize("metric", ["modulation_depth", "sharpness"])
def test_blur_lowers_it(metric):
    rng = np.random.default_rng(3)
    image = gaussian_filter(rng.random(SHAPE), 1.5) * 1000
    found = [measured(gaussian_filter(image, s), image)[metric] for s in (0.0, 1.0, 2.0, 4.0)]
    assert found == sorted(found, reverse=True)
    assert found[-1] < 0.6 * found[0]


def test_blur_damps_a_sinusoid_as_its_transfer_function_says():
    blurred = gaussian_filter(stripes(period_px=16), 3.0)
    expected = 0.5 * np.exp(-2 * (np.pi * 3.0 / 16) ** 2)
    assert measured(blurred)["modulation_depth"] == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("gain", [0.01, 300.0])
def test_gain_does_not_matter(gain):
    image = gaussian_filter(np.random.default_rng(4).random(SHAPE), 2) * 100
    one, other = measured(image), measured(gain * image)
    assert other == {name: pytest.approx(value) for name, value in one.items()}


def test_a_background_lowers_the_depth():
    assert measured(stripes(150, 50))["modulation_depth"] < measured(stripes())["modulation_depth"]


def half_striped(image):
    """Stripes in the left quarter, and nothing to see elsewhere."""
    target = np.full(SHAPE, 100.0)
    target[:, : SHAPE[1] // 4] = image[:, : SHAPE[1] // 4]
    return target


def test_places_are_where_the_target_varies_most():
    image = np.where(np.arange(SHAPE[1]) < SHAPE[1] // 4, stripes(100, 20, 16), stripes(100, 90))
    # the left quarter alone: the much deeper rest of the image does not count
    assert measured(image, half_striped(image))["modulation_depth"] == pytest.approx(0.2, abs=0.02)


def test_places_come_from_the_target_alone():
    target = half_striped(stripes())
    inside = np.arange(SHAPE[1]) < SHAPE[1] // 4 + WINDOW_PX
    image = stripes(100, 30, 16)
    changed = np.where(inside, image, 7 * stripes(1000, 999, 4))
    assert measured(image, target) == measured(changed, target)


def test_counts_below_0_count_as_none():
    image = stripes(20, 60)
    assert measured(image)["modulation_depth"] == pytest.approx(1.0)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_every_dtype_is_measured_alike(dtype):
    image = stripes().round()
    expected = {name: pytest.approx(value, rel=1e-5) for name, value in measured(image).items()}
    assert measured(image.astype(dtype)) == expected
