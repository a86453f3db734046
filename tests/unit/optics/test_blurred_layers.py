import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve

from crossres.optics import born_wolf_psf, psf_from_profile, response_of
from crossres.optics.layers import blur_layers
from crossres.settings import Confocal, Widefield

# wavelength, NA, refractive index: the air objectives of Wang 2019
OBJECTIVES = [(630.0, 0.4, 1.0), (450.0, 0.75, 1.0)]


def optics(objective, **settings):
    wavelength_nm, na, index = objective
    return Widefield(
        kind="widefield", wavelength_nm=wavelength_nm, na=na, refractive_index=index, **settings
    )


def point(row=150, column=150, size=301):
    volume = np.zeros((1, size, size), np.float32)
    volume[0, row, column] = 1.0
    return volume


@pytest.mark.parametrize("z_nm", [0.0, 700.0, 2000.0])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_point_becomes_born_and_wolfs_psf(objective, z_nm):
    modalities = {"one": optics(objective, pixel_size_nm=1.0)}
    found = blur_layers(point(), 100.0, np.array([z_nm]), modalities, 20e3)["one"]
    psf = born_wolf_psf((3, 301, 301), 100.0, *objective, z_step_nm=max(z_nm, 1.0))[2]
    # the array of the PSF lacks its outermost light, and has sum 1 for it
    np.testing.assert_allclose(found, psf / psf.sum(), rtol=0.02, atol=0.01 * found.max())


def test_every_layer_keeps_its_light_and_its_own_defocus():
    volume = np.concatenate([point(90, 150), point(210, 150)])
    modalities = {"one": optics(OBJECTIVES[1], pixel_size_nm=300.0)}
    image = blur_layers(volume, 100.0, np.array([0.0, -1500.0]), modalities, 20e3)["one"]
    light = image[:150].sum(), image[151:].sum()
    np.testing.assert_allclose(light, 1, atol=0.02)
    assert image[:150].max() > 3 * image[151:].max()


def test_the_low_aperture_sees_deeper():
    z_nm = np.array([1400.0])
    modalities = {
        "low": optics((532.0, 0.4, 1.0), pixel_size_nm=1.0),
        "high": optics((532.0, 0.75, 1.0), pixel_size_nm=1.0),
    }
    focused = blur_layers(point(), 100.0, 0 * z_nm, modalities, 20e3)
    blurred = blur_layers(point(), 100.0, z_nm, modalities, 20e3)
    for role, na in (("low", 0.4), ("high", 0.75)):
        # Born & Wolf 8.8.2 again
        expected = np.sinc(1400 * na**2 / 2 / 532) ** 2
        found = blurred[role][150, 150] / focused[role][150, 150]
        assert float(found) == pytest.approx(expected, abs=0.01)


def test_camera_pixels_integrate_over_their_area():
    sharp, wide = (
        blur_layers(
            point(), 100.0, np.zeros(1), {"one": optics(OBJECTIVES[1], pixel_size_nm=p)}, 2e4
        )["one"]
        for p in (1.0, 500.0)
    )
    box = np.ones(5) / 5
    expected = np.apply_along_axis(np.convolve, 0, sharp, box, "same")
    expected = np.apply_along_axis(np.convolve, 1, expected, box, "same")
    np.testing.assert_allclose(wide[5:-5, 5:-5], expected[5:-5, 5:-5], atol=0.02 * wide.max())


def test_residual_blur_widens_a_point_by_a_gaussian():
    fwhm_nm = 800.0
    sharp, blurred = (
        blur_layers(point(), 100.0, np.zeros(1), {"one": modality}, 2e4)["one"]
        for modality in (
            optics(OBJECTIVES[1], pixel_size_nm=1.0),
            optics(OBJECTIVES[1], pixel_size_nm=1.0, residual_blur_nm=fwhm_nm),
        )
    )
    expected = gaussian_filter(sharp, fwhm_nm / 2.35482 / 100)
    np.testing.assert_allclose(blurred, expected, atol=2e-3 * blurred.max())


@pytest.mark.parametrize("place", [(0, 150), (150, 300), (0, 0)])
def test_light_leaving_on_one_side_does_not_enter_on_the_other(place):
    modalities = {"one": optics(OBJECTIVES[1], pixel_size_nm=325.0)}
    image = blur_layers(point(*place), 162.5, np.array([2000.0]), modalities, 10e3)["one"]
    away = np.hypot(*(np.arange(301)[:, None] - place[0], np.arange(301)[None, :] - place[1]))
    assert np.abs(image[away > 200]).max() < 1e-4 * image.max()


@pytest.mark.parametrize("z_nm", [0.0, 500.0])
def test_a_confocal_dims_what_lies_out_of_focus(z_nm):
    microscope = Confocal(
        kind="confocal", wavelength_nm=525.0, excitation_nm=488.0, na=1.2, refractive_index=1.333,
        pinhole_airy_units=1.0, pixel_size_nm=1.0,
    )  # fmt: skip
    pixel_nm = 50.0
    found = blur_layers(point(), pixel_nm, np.array([z_nm]), {"one": microscope}, 2e3)["one"]
    psf = [
        psf_from_profile(profile, (301, 301), pixel_nm)
        for profile in response_of(microscope).slices(np.array([0.0, z_nm]))
    ]
    expected = fftconvolve(point()[0], psf[1] / psf[0].sum(), mode="same")
    np.testing.assert_allclose(found, expected, atol=2e-3 * psf[0].max() / psf[0].sum())
