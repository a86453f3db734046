"""Point-spread functions beside the focal plane, against closed forms."""

import numpy as np
import pytest
from microscopes import CLOSED, CONFOCAL, STED_10, WIDEFIELD, airy, changed
from scipy.signal import fftconvolve

from crossres.optics import (
    axial_zero_nm,
    born_wolf_psf,
    modality_psf,
    psf_from_profile,
    psf_fwhm_nm,
    response_of,
)
from crossres.optics.born_wolf import born_wolf_slices
from crossres.optics.radial import area_nm2, radius_grid
from crossres.optics.sted import doughnut_slices

MICROSCOPES = [WIDEFIELD, CONFOCAL, STED_10]
BLURRED = [changed(m, residual_blur_nm=150.0) for m in MICROSCOPES]
Z_NM = np.array([0.0, 150.0, 400.0, -400.0, 900.0])
KIND = {"ids": lambda m: m.kind}


def sinc_squared(z_nm, wavelength_nm, na=1.4, index=1.515):
    """Born & Wolf 8.8.2: sinc^2(u / 4) on the axis; np.sinc(t) is sin(pi t) / (pi t)."""
    return np.sinc(z_nm * na**2 / (2 * index * wavelength_nm)) ** 2


def born_wolf(z_nm, wavelength_nm):
    return born_wolf_slices(radius_grid(), z_nm, wavelength_nm, 1.4, 1.515)


@pytest.mark.parametrize("microscope", [*MICROSCOPES, *BLURRED], **KIND)
def test_in_focus_they_are_the_profile(microscope):
    response = response_of(microscope)
    found = response.slices(Z_NM)
    np.testing.assert_allclose(found[0], response.profile(), atol=1e-6)
    assert found[0, 0] == pytest.approx(1.0)


@pytest.mark.parametrize("microscope", [*MICROSCOPES, *BLURRED], **KIND)
def test_above_and_below_the_focus_look_the_same_and_dimmer(microscope):
    found = response_of(microscope).slices(Z_NM)
    np.testing.assert_allclose(found[2], found[3], atol=1e-9)
    assert (found[1:, 0] < 1).all()


def test_a_wide_field_is_born_and_wolfs_on_the_axis():
    found = response_of(WIDEFIELD).slices(Z_NM)[:, 0]
    np.testing.assert_allclose(found, sinc_squared(Z_NM, 645.0), atol=1e-9)


@pytest.mark.parametrize("microscope", [CONFOCAL, STED_10], **KIND)
def test_a_closed_pinhole_gives_the_product_of_both_axial_intensities(microscope):
    found = response_of(changed(microscope, pinhole_airy_units=CLOSED)).slices(Z_NM)[:, 0]
    # the doughnut is dark on the axis at every depth
    expected = sinc_squared(Z_NM, 633.0) * sinc_squared(Z_NM, 645.0)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_a_closed_pinhole_gives_the_product_everywhere():
    found = response_of(changed(CONFOCAL, pinhole_airy_units=CLOSED)).slices(Z_NM)
    np.testing.assert_allclose(found, born_wolf(Z_NM, 633.0) * born_wolf(Z_NM, 645.0), atol=1e-3)


def test_an_open_pinhole_gives_the_excitation_alone():
    found = response_of(changed(CONFOCAL, pinhole_airy_units=12.0)).slices(Z_NM)
    np.testing.assert_allclose(found, born_wolf(Z_NM, 633.0), atol=0.02)


def test_the_pinhole_is_a_convolution_of_the_emission_with_a_disc():
    pixel_nm, half, z_nm = 12.5, 320, 500.0
    y, x = np.mgrid[-half : half + 1, -half : half + 1] * pixel_nm
    radius = np.hypot(y, x)
    # averaged over a pixel's width, as the disc has a sharp rim
    disc = np.clip((1.22 * 645.0 / 1.4 / 2 - radius) / pixel_nm + 0.5, 0, 1)
    detected = [
        fftconvolve(np.interp(radius, radius_grid(), slice_), disc, mode="same")[half, half:]
        for slice_ in born_wolf(np.array([0.0, z_nm]), 645.0)
    ]
    at_nm = np.arange(half + 1) * pixel_nm
    excitation = np.interp(at_nm, radius_grid(), born_wolf(np.array([z_nm]), 633.0)[0])
    found = response_of(CONFOCAL).slices(np.array([z_nm]))[0]
    np.testing.assert_allclose(
        np.interp(at_nm, radius_grid(), found), excitation * detected[1] / detected[0][0], atol=2e-3
    )


def test_depletion_takes_what_the_defocused_doughnut_reaches():
    confocal = response_of(CONFOCAL).slices(Z_NM)
    found = response_of(STED_10).slices(Z_NM)
    doughnut = doughnut_slices(Z_NM, 775.0, 1.4, 1.515)
    np.testing.assert_allclose(found, confocal * 2.0 ** (-10 * doughnut), atol=1e-12)


def test_the_doughnut_is_dark_on_the_axis_and_keeps_its_light():
    z_nm = np.array([0.0, 300.0, 900.0])
    slices = doughnut_slices(z_nm, 775.0, 1.4, 1.515)
    assert (slices[:, 0] == 0).all()
    assert slices.max() == pytest.approx(1.0)
    # the rings of a vortex reach far: what lies beyond 5 um is some hundredths
    light = np.array([area_nm2(s) for s in slices])
    np.testing.assert_allclose(light / light[0], 1.0, atol=0.02)


@pytest.mark.parametrize("microscope", MICROSCOPES, **KIND)
def test_the_residual_blur_is_lateral(microscope):
    sharp = response_of(microscope).slices(Z_NM)
    blurred = response_of(changed(microscope, residual_blur_nm=150.0)).slices(Z_NM)
    pixel_nm, half = 20.0, 200
    y, x = np.mgrid[-half : half + 1, -half : half + 1] * pixel_nm
    radius = np.hypot(y, x)
    kernel = 2.0 ** (-((2 * radius / 150.0) ** 2))
    lines = [
        fftconvolve(np.interp(radius, radius_grid(), s), kernel, mode="same")[half, half:]
        for s in sharp
    ]
    at_nm = np.arange(80) * pixel_nm
    for line, found in zip(lines, blurred, strict=True):
        expected = line[:80] / lines[0][0]
        np.testing.assert_allclose(np.interp(at_nm, radius_grid(), found), expected, atol=3e-3)


@pytest.mark.parametrize("microscope", [*MICROSCOPES, *BLURRED], **KIND)
@pytest.mark.parametrize("z_nm", [0.0, 400.0])
def test_the_otf_is_the_transform_of_the_slice(microscope, z_nm):
    response, pixel_nm, half = response_of(microscope), 20.0, 250
    psf = [
        psf_from_profile(s, (2 * half + 1, 2 * half + 1), pixel_nm)
        for s in response.slices(np.array([0.0, z_nm]))
    ]
    transform = np.fft.rfft(np.fft.ifftshift(psf[1]).sum(axis=0)).real / psf[0].sum()
    frequency = np.fft.rfftfreq(2 * half + 1, pixel_nm)
    found = response.otf(frequency, z_nm)
    # an array cuts off the skirts of a wide-field PSF
    np.testing.assert_allclose(
        found, transform, atol=0.02 if microscope.kind == "widefield" else 1e-3
    )


def test_the_otf_of_a_confocal_ends_at_the_sum_of_both_cut_offs():
    response = response_of(CONFOCAL)
    assert response.cutoff_per_nm == pytest.approx(2 * 1.4 * (1 / 633 + 1 / 645))
    beyond = np.array([1.001, 1.5, 40.0]) * response.cutoff_per_nm
    np.testing.assert_array_equal(response.otf(beyond, 0.0), 0.0)
    assert abs(response.otf(0.97 * response.cutoff_per_nm * np.ones(1), 0.0)[0]) < 1e-3


def test_widths_of_a_wide_field_are_those_of_the_closed_forms():
    lateral_nm, axial_nm = psf_fwhm_nm(WIDEFIELD)
    assert lateral_nm == pytest.approx(0.5145 * 645 / 1.4, rel=2e-3)
    # sinc^2 is a half at 0.44295
    assert axial_nm == pytest.approx(2 * 0.44295 * 2 * 1.515 * 645 / 1.4**2, rel=1e-3)
    assert axial_zero_nm(WIDEFIELD) == pytest.approx(2 * 1.515 * 645 / 1.4**2)


def test_widths_of_a_confocal_with_a_closed_pinhole():
    microscope = changed(CONFOCAL, excitation_nm=645.0, pinhole_airy_units=CLOSED)
    lateral_nm, axial_nm = psf_fwhm_nm(microscope)
    assert lateral_nm == pytest.approx(2 * 1.1616 / (2 * np.pi) * 645 / 1.4, rel=3e-3)
    # sinc^4 is a half at 0.31903
    assert axial_nm == pytest.approx(2 * 0.31903 * 2 * 1.515 * 645 / 1.4**2, rel=2e-3)


def test_depletion_narrows_laterally_alone():
    (confocal_nm, confocal_z_nm), (sted_nm, sted_z_nm) = map(psf_fwhm_nm, (CONFOCAL, STED_10))
    assert sted_nm < 0.4 * confocal_nm
    assert sted_z_nm == pytest.approx(confocal_z_nm)


@pytest.mark.parametrize("diameter_nm", [0.0, 100.0])
def test_a_ball_is_wider_than_a_point_by_its_own_variance(diameter_nm):
    # near its peak a PSF is a Gaussian; widths add in squares
    lateral_nm, axial_nm = psf_fwhm_nm(CONFOCAL, diameter_nm)
    added_nm = 2.35482 * diameter_nm / 2 / np.sqrt(5)
    for found, point in zip((lateral_nm, axial_nm), psf_fwhm_nm(CONFOCAL), strict=True):
        assert found == pytest.approx(np.hypot(point, added_nm), rel=0.012)


@pytest.mark.parametrize("microscope", [*MICROSCOPES, *BLURRED], **KIND)
@pytest.mark.parametrize(("pixel_nm", "step_nm"), [(40.0, 120.0), (65.0, 250.0)])
def test_a_3d_psf_is_odd_centred_symmetric_positive_and_sums_to_one(microscope, pixel_nm, step_nm):
    psf = modality_psf(microscope, pixel_nm, step_nm)
    assert all(n % 2 == 1 for n in psf.shape)
    assert psf.sum() == pytest.approx(1.0)
    assert psf.min() >= 0
    assert np.unravel_index(psf.argmax(), psf.shape) == tuple(n // 2 for n in psf.shape)
    for axis in range(3):
        np.testing.assert_allclose(psf, np.flip(psf, axis), rtol=1e-9, atol=1e-15)


def test_a_3d_psf_of_a_wide_field_is_born_and_wolfs():
    psf = modality_psf(WIDEFIELD, 50.0, 200.0)
    expected = born_wolf_psf(psf.shape, 50.0, 645.0, 1.4, 1.515, 200.0)
    np.testing.assert_allclose(psf, expected, atol=1e-5 * psf.max())


@pytest.mark.parametrize("microscope", MICROSCOPES, **KIND)
def test_the_middle_slice_of_a_3d_psf_is_the_2d_one(microscope):
    flat, deep = modality_psf(microscope, 50.0), modality_psf(microscope, 50.0, 200.0)
    middle = deep[deep.shape[0] // 2]
    both = min(len(flat), len(middle)) // 2
    cut = [
        image[tuple(slice(n // 2 - both, n // 2 + both + 1) for n in image.shape)]
        for image in (flat, middle)
    ]
    np.testing.assert_allclose(cut[1] / cut[1].max(), cut[0] / cut[0].max(), atol=1e-6)


def test_a_3d_psf_holds_most_of_a_confocals_light():
    whole = response_of(CONFOCAL).slices(np.arange(-20, 21) * 200.0)
    light = np.array([area_nm2(s) for s in whole])
    # the rest spreads thinly over 8 um, which no array of a PSF should be as deep as
    half = modality_psf(CONFOCAL, 50.0, 200.0).shape[0] // 2
    assert light[20 - half : 21 + half].sum() > 0.93 * light.sum()


def test_more_energy_asks_for_a_larger_psf():
    shapes = [modality_psf(CONFOCAL, 50.0, 200.0, energy=e).shape for e in (0.9, 0.995)]
    assert all(less < more for less, more in zip(*shapes, strict=True))


def test_excitation_in_focus_is_the_airy_pattern():
    found = response_of(changed(CONFOCAL, pinhole_airy_units=6.0)).profile()
    np.testing.assert_allclose(found, airy(radius_grid(), 633.0, 1.4), atol=0.02)
