import numpy as np
import pytest
from microscopes import CLOSED, CONFOCAL, STED_10, WIDEFIELD, airy, changed
from scipy.signal import fftconvolve
from scipy.special import j0, j1, struve

from crossres.jobs import InputError
from crossres.optics import fwhm_of_profile, modality_profile, modality_psf
from crossres.optics.radial import radius_grid
from crossres.optics.sted import doughnut_slices


def test_a_closed_pinhole_gives_excitation_times_emission():
    radius = radius_grid()
    expected = airy(radius, 633.0, 1.4) * airy(radius, 645.0, 1.4)
    np.testing.assert_allclose(
        modality_profile(changed(CONFOCAL, pinhole_airy_units=CLOSED)), expected, atol=1e-4
    )


def test_a_wide_open_pinhole_gives_the_excitation_alone():
    profile = modality_profile(changed(CONFOCAL, pinhole_airy_units=6.0))
    expected = airy(radius_grid(), 633.0, 1.4)
    np.testing.assert_allclose(profile, expected, atol=0.02)


def test_closed_pinhole_narrows_the_spot_by_about_the_square_root_of_two():
    microscope = changed(CONFOCAL, excitation_nm=645.0, pinhole_airy_units=CLOSED)
    closed = fwhm_of_profile(modality_profile(microscope))
    # half maximum of the squared Airy pattern: 2 J1(v) / v = 2^(-1/4), v = 1.1616
    assert closed == pytest.approx(2 * 1.1616 / (2 * np.pi) * 645 / 1.4, rel=3e-3)


def test_doughnut_is_the_focal_field_of_a_vortex():
    # int_0^1 J1(a p) p dp = pi / (2 a) [J1(a) H0(a) - J0(a) H1(a)], H the Struve functions
    a = 2 * np.pi * 1.4 / 775.0 * radius_grid()[1:]
    field = np.pi / (2 * a) * (j1(a) * struve(0, a) - j0(a) * struve(1, a))
    expected = np.append(0.0, field**2 / np.max(field**2))
    np.testing.assert_allclose(
        doughnut_slices(np.zeros(1), 775.0, 1.4, 1.515)[0], expected, atol=1e-4
    )


def test_no_depletion_leaves_the_confocal_spot():
    radius = radius_grid()
    expected = airy(radius, 633.0, 1.4) * airy(radius, 645.0, 1.4)
    profile = modality_profile(changed(STED_10, pinhole_airy_units=CLOSED, saturation_factor=0.0))
    np.testing.assert_allclose(profile, expected, atol=1e-4)


def test_a_saturation_factor_of_one_halves_the_fluorescence_where_the_doughnut_peaks():
    microscope = changed(STED_10, pinhole_airy_units=CLOSED, saturation_factor=1.0)
    radius = radius_grid()
    ratio = modality_profile(microscope) / np.maximum(
        airy(radius, 633.0, 1.4) * airy(radius, 645.0, 1.4), 1e-30
    )
    inner = radius < 250
    assert ratio[inner].min() == pytest.approx(0.5, abs=2e-3)
    assert ratio[0] == pytest.approx(1.0, abs=1e-4)


def test_resolution_of_sted_follows_the_square_root_law():
    # Harke 2008 / Hell 2003: 1 / fwhm^2 grows in proportion to the saturation factor
    factors = np.array([10.0, 20.0, 30.0])
    widths = np.array([fwhm_of_profile(modality_profile(changed(STED_10, saturation_factor=s)))
                       for s in factors])  # fmt: skip
    growth = np.diff(widths**-2.0)
    assert growth[1] == pytest.approx(growth[0], rel=0.05)


def test_widefield_is_the_airy_pattern():
    expected = airy(radius_grid(), 645.0, 1.4)
    np.testing.assert_allclose(modality_profile(WIDEFIELD), expected, atol=1e-9)


@pytest.mark.parametrize("modality", [WIDEFIELD, CONFOCAL], ids=["widefield", "confocal"])
def test_residual_blur_is_a_convolution_with_a_gaussian(modality):
    pixel_nm, half = 20.0, 200
    y, x = np.mgrid[-half : half + 1, -half : half + 1] * pixel_nm
    radius = np.hypot(y, x)
    sharp = np.interp(radius, radius_grid(), modality_profile(modality))
    blurred = fftconvolve(sharp, 2.0 ** (-((2 * radius / 202.0) ** 2)), mode="same")[half, half:]
    found = modality_profile(changed(modality, residual_blur_nm=202.0))
    at = np.arange(80) * pixel_nm
    np.testing.assert_allclose(
        np.interp(at, radius_grid(), found), blurred[:80] / blurred[0], atol=3e-3
    )


@pytest.mark.parametrize("modality", [WIDEFIELD, CONFOCAL, STED_10], ids=lambda m: m.kind)
@pytest.mark.parametrize("pixel_nm", [30.0, 65.0])
def test_psf_for_deconvolution_is_odd_centred_positive_and_sums_to_one(modality, pixel_nm):
    psf = modality_psf(modality, pixel_nm)
    side = psf.shape[0]
    assert psf.shape == (side, side)
    assert side % 2 == 1
    assert psf.sum() == pytest.approx(1.0)
    assert psf.min() >= 0
    assert np.unravel_index(psf.argmax(), psf.shape) == (side // 2, side // 2)


def test_psf_is_sampled_at_pixel_centres():
    psf = modality_psf(WIDEFIELD, 50.0)
    half = psf.shape[0] // 2
    line = psf[half, half:] / psf[half, half]
    np.testing.assert_allclose(line, airy(np.arange(half + 1) * 50.0, 645.0, 1.4), atol=1e-6)


def test_psf_holds_the_asked_part_of_the_light():
    # light beyond radius r of an Airy pattern: J0(v)^2 + J1(v)^2 (Rayleigh, 1881)
    psf = modality_psf(WIDEFIELD, 30.0, energy=0.95)
    v = 2 * np.pi * 1.4 / 645.0 * 30.0 * (psf.shape[0] // 2)
    v_end = 2 * np.pi * 1.4 / 645.0 * 3000.0
    inside, total = (1 - j0(r) ** 2 - j1(r) ** 2 for r in (v, v_end))
    assert inside / total == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize(
    ("modality", "key"),
    [
        (CONFOCAL, "excitation_nm"),
        (CONFOCAL, "pinhole_airy_units"),
        (STED_10, "depletion_nm"),
        (STED_10, "saturation_factor"),
        (STED_10, "excitation_nm"),
    ],
)
def test_a_missing_key_is_named(modality, key):
    with pytest.raises(InputError, match=f"{modality.kind} PSF needs {key}"):
        modality_profile(changed(modality, **{key: None}))
