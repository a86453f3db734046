"""The line of a camera's noise, against the camera that drew it."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from crossres.preprocess import NoNoiseLine, noise_line

GAIN, OFFSET, READ = 1.9, 30.0, 3.0


def scene(rng, shape=(256, 256), density=0.02, sigma_px=1.7):
    """Photons of spots of a STED's width over a background."""
    points = np.where(rng.random(shape) < density, rng.lognormal(0, 0.5, shape), 0.0)
    blurred = gaussian_filter(points, sigma_px)
    return 5 + 25 * blurred / blurred.max()


def photograph(photons, rng):
    """Counts of a camera whose variance is GAIN per count above its offset, plus reading noise."""
    return np.rint(GAIN * rng.poisson(photons) + OFFSET + rng.normal(0, READ, photons.shape))


@pytest.mark.parametrize("density", [0.003, 0.02, 0.2], ids=["beads", "nuclei", "crowded"])
def test_it_is_the_line_of_the_camera(rng, density):
    images = [photograph(scene(rng, density=density), rng) for _ in range(8)]
    found = noise_line(lambda: images)
    # rounding to whole counts adds a twelfth
    true_at_zero = READ**2 + 1 / 12 - GAIN * OFFSET
    assert found.per_count == pytest.approx(GAIN, rel=0.06)
    background = OFFSET + GAIN * 5
    true = GAIN * background + true_at_zero
    assert found.variance(np.array(background)) == pytest.approx(true, rel=0.02)
    assert found.variance(np.array(background + 20)) == pytest.approx(true + 20 * GAIN, rel=0.04)


def test_every_slice_of_a_volume_counts(rng):
    volume = np.stack([photograph(scene(rng, (128, 128)), rng) for _ in range(8)])
    whole, planes = noise_line(lambda: [volume]), noise_line(lambda: list(volume))
    assert whole == planes


def test_a_smoothed_image_has_less_noise_than_its_camera(rng):
    # what interpolation does: the line is for raw images
    images = [photograph(scene(rng), rng) for _ in range(4)]
    smooth = [gaussian_filter(image, 0.5) for image in images]
    assert noise_line(lambda: smooth).per_count < 0.8 * noise_line(lambda: images).per_count


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda image: np.minimum(image, 50), "50: the range is cut off"),
        (lambda image: np.maximum(image, 42), "42: the range is cut off"),
        (lambda image: image[:16, :16], "levels of brightness have 100 pixels"),
        (lambda image: np.full_like(image, 7), "the range is cut off"),
        (lambda image: image[:2], "three by three"),
    ],
    ids=["saturated", "cut at the bottom", "small", "constant", "no plane"],
)
def test_images_that_do_not_show_their_noise_are_refused(rng, change, said):
    images = [change(photograph(scene(rng), rng))]
    with pytest.raises(NoNoiseLine, match=said):
        noise_line(lambda: images)


def test_noise_that_falls_with_the_light_is_no_camera(rng):
    photons = scene(rng)
    images = [100 - photons + rng.normal(0, 0.3 * photons) for _ in range(4)]
    with pytest.raises(NoNoiseLine, match="grow with the light"):
        noise_line(lambda: images)
