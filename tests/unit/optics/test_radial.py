import numpy as np
import pytest
from scipy.special import j1, jn_zeros

from crossres.optics import fwhm_of_profile, psf_from_profile
from crossres.optics.radial import (
    airy_spectrum,
    area_nm2,
    disc_spectrum,
    frequency_grid,
    gaussian_spectrum,
    profile_of,
    radius_grid,
    spectrum_of,
)

FWHM_PER_SIGMA = 2.3548200450309493


def gaussian(radius_nm, fwhm_nm):
    return 2.0 ** (-((2 * radius_nm / fwhm_nm) ** 2))


@pytest.mark.parametrize("fwhm_nm", [120.0, 290.0, 600.0])
def test_gaussian_spectrum_is_the_transform_of_a_gaussian(fwhm_nm):
    np.testing.assert_allclose(
        profile_of(gaussian_spectrum(fwhm_nm)), gaussian(radius_grid(), fwhm_nm), atol=1e-5
    )


@pytest.mark.parametrize("fwhm_nm", [120.0, 290.0])
def test_spectrum_of_a_gaussian(fwhm_nm):
    # exp(-r^2 / 2 s^2) becomes 2 pi s^2 exp(-2 pi^2 s^2 q^2)
    sigma_nm = fwhm_nm / FWHM_PER_SIGMA
    found = spectrum_of(gaussian(radius_grid(), fwhm_nm))
    expected = np.exp(-2 * (np.pi * sigma_nm * frequency_grid()) ** 2)
    np.testing.assert_allclose(found / found[0], expected, atol=1e-5)


@pytest.mark.parametrize(("wavelength_nm", "na"), [(645.0, 1.4), (532.0, 0.4)])
def test_airy_spectrum_is_the_transform_of_the_airy_pattern(wavelength_nm, na):
    v = 2 * np.pi * na / wavelength_nm * radius_grid()
    v[0] = 1e-9
    found = profile_of(airy_spectrum(wavelength_nm, na))
    np.testing.assert_allclose(found, (2 * j1(v) / v) ** 2, atol=1e-5)


@pytest.mark.parametrize(("wavelength_nm", "na"), [(645.0, 1.4), (532.0, 0.4)])
def test_airy_spectrum_ends_at_two_na_over_wavelength(wavelength_nm, na):
    spectrum, cut_off = airy_spectrum(wavelength_nm, na), 2 * na / wavelength_nm
    assert spectrum[0] == 1.0
    assert (spectrum[frequency_grid() < 0.99 * cut_off] > 0).all()
    assert (spectrum[frequency_grid() > cut_off] == 0).all()


def test_disc_spectrum_has_the_zeros_of_j1():
    diameter_nm = 500.0
    spectrum = disc_spectrum(diameter_nm)
    assert spectrum[0] == 1.0
    change = np.flatnonzero(np.diff(np.sign(spectrum)))
    zeros = frequency_grid()[change]
    expected = jn_zeros(1, len(zeros)) / (np.pi * diameter_nm)
    np.testing.assert_allclose(zeros, expected, atol=2e-5)


@pytest.mark.parametrize("fwhm_nm", [41.0, 120.0, 290.0])
def test_fwhm_of_a_gaussian_profile(fwhm_nm):
    assert fwhm_of_profile(gaussian(radius_grid(), fwhm_nm)) == pytest.approx(fwhm_nm, rel=0.01)


def test_fwhm_of_the_airy_pattern_is_0_5145_wavelength_over_na():
    fwhm_nm = fwhm_of_profile(profile_of(airy_spectrum(645.0, 1.4)))
    assert fwhm_nm == pytest.approx(0.5145 * 645 / 1.4, rel=2e-3)


@pytest.mark.parametrize("shape", [(15, 15), (16, 12), (7, 22)])
@pytest.mark.parametrize("centre", [None, (4.3, 5.8)])
def test_profile_is_sampled_at_the_pixels_distances(shape, centre):
    psf = psf_from_profile(gaussian(radius_grid(), 200.0), shape, 33.0, centre)
    y0, x0 = centre or (shape[0] // 2, shape[1] // 2)
    y, x = np.mgrid[: shape[0], : shape[1]]
    expected = gaussian(33.0 * np.hypot(y - y0, x - x0), 200.0)
    np.testing.assert_allclose(psf, expected, atol=1e-6)


def test_profile_counts_as_dark_beyond_its_end():
    psf = psf_from_profile(np.ones_like(radius_grid()), (1, 31), 1000.0)
    distance_nm = 1000.0 * np.abs(np.arange(31) - 15)
    np.testing.assert_allclose(psf[0], distance_nm <= 5000)


def test_area_of_a_gaussian_profile():
    # its volume for a peak of 1 is pi fwhm^2 / (4 ln 2)
    found = area_nm2(gaussian(radius_grid(), 300.0))
    assert found == pytest.approx(np.pi * 300.0**2 / (4 * np.log(2)), rel=1e-4)


def test_several_profiles_are_transformed_at_once():
    profiles = np.stack([gaussian(radius_grid(), fwhm) for fwhm in (120.0, 290.0)])
    each = [spectrum_of(profile) for profile in profiles]
    np.testing.assert_allclose(spectrum_of(profiles), each, atol=1e-9)
