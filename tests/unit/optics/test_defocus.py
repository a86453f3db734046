import numpy as np
import pytest

from crossres.optics import born_wolf_psf
from crossres.optics.defocus import defocused_spectrum, slice_spectra
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


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_slices_on_the_grid_of_frequencies(objective):
    z_nm = np.array([0.0, 400.0, -1500.0])
    found = slice_spectra(z_nm, *objective)
    for row, distance_nm in zip(found, z_nm, strict=True):
        expected = defocused_spectrum(frequency_grid(), *objective, distance_nm)
        np.testing.assert_allclose(row, expected, atol=1e-9)
