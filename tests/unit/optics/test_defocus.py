import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from crossres.optics import born_wolf_psf
from crossres.optics.defocus import blur_layers, defocused_spectrum
from crossres.optics.radial import airy_spectrum, frequency_grid

# wavelength, NA, refractive index: the air objectives of Wang 2019, and oil
OBJECTIVES = [(630.0, 0.4, 1.0), (450.0, 0.75, 1.0), (645.0, 1.4, 1.515)]


def contrast_above(objective, frequency_per_nm, contrast):
    """Depth, in nm, over which a frequency keeps this part of its contrast in focus."""
    z_nm = np.arange(0, 12000, 50)
    seen = np.array([defocused_spectrum(frequency_per_nm, *objective, z) for z in z_nm])
    return 2 * z_nm[np.argmax(seen < contrast * seen[0])]


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_in_focus_it_is_the_overlap_of_two_pupils(objective):
    wavelength_nm, na, _ = objective
    found = defocused_spectrum(frequency_grid(), *objective, 0.0)
    np.testing.assert_allclose(found, airy_spectrum(wavelength_nm, na), atol=1e-9)


@pytest.mark.parametrize("depths", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_it_is_the_transform_of_born_and_wolfs_slice(objective, depths):
    wavelength_nm, na, index = objective
    z_nm = depths * wavelength_nm * index / na**2
    pixel_nm = 0.2 * wavelength_nm / na
    psf = born_wolf_psf((3, 255, 255), pixel_nm, *objective, z_step_nm=z_nm)[2]
    transform = np.fft.rfft(np.fft.ifftshift(psf).sum(axis=0)).real / psf.sum()
    frequency = np.fft.rfftfreq(255, pixel_nm)
    found = defocused_spectrum(frequency, *objective, z_nm)
    # the array cuts off the skirts of the PSF: some thousandths of its light
    np.testing.assert_allclose(found, transform, atol=0.01)
    assert np.abs(found - transform)[5:].max() < 0.004


@pytest.mark.parametrize("z_nm", [0.0, 800.0, -2500.0, 60000.0])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_light_is_spread_and_not_lost(objective, z_nm):
    wavelength_nm, na, _ = objective
    ends = np.array([0.0, 2 * na / wavelength_nm, 1.0])
    np.testing.assert_allclose(defocused_spectrum(ends, *objective, z_nm), [1, 0, 0], atol=1e-9)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_above_and_below_the_focus_look_the_same(objective):
    frequency = np.linspace(0, 1e-3, 9).reshape(3, 3)
    above, below = (defocused_spectrum(frequency, *objective, z) for z in (700.0, -700.0))
    assert above.shape == (3, 3)
    np.testing.assert_allclose(above, below)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_peak_falls_by_a_fifth_at_half_of_wavelength_n_over_na_squared(objective):
    wavelength_nm, na, index = objective
    frequency = np.linspace(0, 2 * na / wavelength_nm, 4001)
    # Born & Wolf 8.8.2: sinc^2(u / 4) on the axis, which is 0.81 at u = pi
    peaks = [
        np.sum(defocused_spectrum(frequency, *objective, z) * frequency)
        for z in (0.0, 0.5 * wavelength_nm * index / na**2)
    ]
    assert peaks[1] / peaks[0] == pytest.approx(np.sinc(0.25) ** 2, abs=1e-4)


def test_depth_of_field_goes_with_one_over_na_squared():
    # at half of each objective's own limit of resolution
    low = contrast_above((532.0, 0.4, 1.0), 0.4 / 532, 0.5)
    high = contrast_above((532.0, 0.75, 1.0), 0.75 / 532, 0.5)
    assert low / high == pytest.approx((0.75 / 0.4) ** 2, rel=0.05)


def optics(objective, **settings):
    wavelength_nm, na, index = objective
    return {"wavelength_nm": wavelength_nm, "na": na, "refractive_index": index, **settings}


def point(row=150, column=150, size=301):
    volume = np.zeros((1, size, size), np.float32)
    volume[0, row, column] = 1.0
    return volume


@pytest.mark.parametrize("z_nm", [0.0, 700.0, 2000.0])
@pytest.mark.parametrize("objective", OBJECTIVES[:2])
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
