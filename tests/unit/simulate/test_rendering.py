import numpy as np
import pytest

from crossres.optics import BallImage
from crossres.optics.radial import radius_grid
from crossres.simulate.rendering import render_flat, render_volume

PROFILE = 2.0 ** (-((2 * radius_grid() / 200.0) ** 2))
LATERAL_NM, AXIAL_NM = 200.0, 500.0


def rendered(places, brightness, shape, pixel_nm):
    """The same sum of Gaussians of 200 nm FWHM, pixel by pixel."""
    y, x = ((np.arange(n) + 0.5) * pixel_nm for n in shape)
    image = np.zeros(shape)
    for (y_nm, x_nm), peak in zip(places, brightness, strict=True):
        squared = (y[:, None] - y_nm) ** 2 + (x[None, :] - x_nm) ** 2
        image += peak * 2.0 ** (-4 * squared / LATERAL_NM**2)
    return image


@pytest.mark.parametrize("shape", [(40, 40), (31, 44)])
@pytest.mark.parametrize("pixel_nm", [30.0, 65.0])
def test_every_emitter_is_drawn_at_its_exact_place(shape, pixel_nm):
    size_nm = np.array(shape) * pixel_nm
    places, brightness = np.array([[0.31, 0.62], [0.5, 0.5]]) * size_nm, np.array([1.0, 0.4])
    found = render_flat(places, brightness, PROFILE, shape, pixel_nm)
    # the profile is cut off where it has fallen to a thousandth
    np.testing.assert_allclose(found, rendered(places, brightness, shape, pixel_nm), atol=2.5e-3)


@pytest.mark.parametrize("place", [(0.0, 0.0), (1199.0, 3.0), (600.0, 1199.9)])
def test_emitters_at_the_border_are_drawn_as_far_as_they_are_seen(place):
    places = np.array([place])
    found = render_flat(places, np.ones(1), PROFILE, (40, 40), 30.0)
    np.testing.assert_allclose(found, rendered(places, [1.0], (40, 40), 30.0), atol=1.5e-3)


def test_an_emitter_on_a_pixels_centre_has_its_brightness_there():
    places = np.array([[10.5 * 30, 7.5 * 30]])
    image = render_flat(places, np.array([2.0]), PROFILE, (20, 20), 30.0)
    assert image[10, 7] == pytest.approx(2.0)


def test_no_emitters_give_a_dark_image():
    image = render_flat(np.zeros((0, 2)), np.zeros(0), PROFILE, (9, 11), 30.0)
    assert (image == np.zeros((9, 11))).all()


SLICES = BallImage(
    2.0 ** (-((2 * np.arange(0, 2000, 40.0)[:, None] / AXIAL_NM) ** 2)) * PROFILE, 40.0
)


@pytest.mark.parametrize("place", [(0.51, 0.33, 0.68), (-0.1, 0.5, 0.5), (0.4, 1.03, 0.2)])
@pytest.mark.parametrize(
    ("shape", "steps_nm"), [((8, 30, 33), (150.0, 40.0)), ((5, 21, 20), (260.0, 65.0))]
)
def test_emitters_in_and_around_a_volume_are_drawn_at_their_exact_place(place, shape, steps_nm):
    z_step_nm, pixel_nm = steps_nm
    steps = np.array([z_step_nm, pixel_nm, pixel_nm])
    place_nm = np.array(place) * shape * steps
    found = render_volume(place_nm[None], np.array([1.7]), SLICES, shape, pixel_nm, z_step_nm)
    centres = (np.indices(shape) + 0.5) * steps.reshape(3, 1, 1, 1)
    away = (centres - place_nm.reshape(3, 1, 1, 1)) / np.reshape(
        [AXIAL_NM, LATERAL_NM, LATERAL_NM], (3, 1, 1, 1)
    )
    # cut off at a ten-thousandth of the peak
    np.testing.assert_allclose(found, 1.7 * 2.0 ** (-4 * (away**2).sum(axis=0)), atol=2e-4)


def test_emitters_far_from_a_volume_leave_it_dark():
    places = np.array([[400.0, 400.0, 9e3], [60e3, 400.0, 400.0]])
    volume = render_volume(places, np.ones(2), SLICES, (6, 20, 20), 40.0, 150.0)
    assert not volume.any()
