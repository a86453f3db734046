import numpy as np
import pytest
from scipy.special import j1

from crossres.optics import born_wolf_psf
from crossres.optics.born_wolf import airy_profile

# wavelength, NA, refractive index: oil, air (Wang 2019), water
OBJECTIVES = [(645.0, 1.4, 1.515), (532.0, 0.4, 1.0), (450.0, 1.2, 1.333)]


def airy(v):
    """Born & Wolf 8.5.2, eq. 14."""
    v = np.where(v == 0, 1e-9, v)
    return (2 * j1(v) / v) ** 2


@pytest.mark.parametrize(("wavelength_nm", "na", "_index"), OBJECTIVES)
def test_first_dark_ring_lies_at_0_61_wavelength_over_na(wavelength_nm, na, _index):
    radius = np.linspace(0.3, 0.9, 60001) * wavelength_nm / na
    darkest = radius[np.argmin(airy_profile(radius, wavelength_nm, na))]
    assert darkest == pytest.approx(0.60983 * wavelength_nm / na, rel=1e-4)


@pytest.mark.parametrize(("wavelength_nm", "na", "_index"), OBJECTIVES)
def test_airy_pattern_is_half_as_high_at_half_of_0_5145_wavelength_over_na(
    wavelength_nm, na, _index
):
    half = 0.5145 / 2 * wavelength_nm / na
    assert airy_profile(np.array([0.0, half]), wavelength_nm, na) == pytest.approx(
        [1.0, 0.5], rel=2e-4
    )


@pytest.mark.parametrize("shape", [(33, 33), (32, 32), (21, 40)])
@pytest.mark.parametrize(("wavelength_nm", "na", "index"), OBJECTIVES)
def test_focal_plane_is_the_airy_pattern(shape, wavelength_nm, na, index):
    pixel_nm = 0.1 * wavelength_nm / na
    psf = born_wolf_psf(shape, pixel_nm, wavelength_nm, na, index)
    y, x = (np.arange(n) - n // 2 for n in shape)
    v = 2 * np.pi * na / wavelength_nm * pixel_nm * np.hypot(y[:, None], x[None, :])
    expected = airy(v) / airy(v).sum()
    np.testing.assert_allclose(psf, expected, atol=1e-10)


@pytest.mark.parametrize(("wavelength_nm", "na", "index"), OBJECTIVES)
def test_on_the_axis_the_intensity_is_sinc_squared(wavelength_nm, na, index):
    step_nm = 0.17 * wavelength_nm * index / na**2
    psf = born_wolf_psf((31, 5, 5), 100.0, wavelength_nm, na, index, z_step_nm=step_nm)
    z_nm = (np.arange(31) - 15) * step_nm
    u = 2 * np.pi / wavelength_nm * (na**2 / index) * z_nm
    # np.sinc(t) is sin(pi t) / (pi t)
    expected = np.sinc(u / 4 / np.pi) ** 2
    np.testing.assert_allclose(psf[:, 2, 2] / psf[15, 2, 2], expected, atol=1e-9)


def test_first_axial_zero_lies_at_two_wavelengths_n_over_na_squared():
    zero_nm = 2 * 645 * 1.515 / 1.4**2
    psf = born_wolf_psf((3, 9, 9), 30.0, 645, 1.4, 1.515, z_step_nm=zero_nm)
    assert psf[0, 4, 4] < 1e-12 * psf[1, 4, 4]


def test_every_slice_holds_the_same_light():
    # the window is wide against the defocused cone, so that little is lost at its border
    psf = born_wolf_psf((5, 401, 401), 100.0, 500, 0.8, 1.0, z_step_nm=500.0)
    light = psf.sum(axis=(1, 2))
    np.testing.assert_allclose(light / light.mean(), 1.0, atol=0.01)


@pytest.mark.parametrize(
    ("shape", "step_nm"), [((16, 17), None), ((6, 8, 10), 150.0), ((7, 9, 9), 150.0)]
)
def test_sum_is_one_and_the_peak_lies_where_fftshift_puts_the_origin(shape, step_nm):
    psf = born_wolf_psf(shape, 60.0, 525, 1.4, 1.515, step_nm)
    assert psf.shape == shape
    assert psf.dtype == np.float64
    assert psf.sum() == pytest.approx(1.0)
    assert np.unravel_index(psf.argmax(), shape) == tuple(n // 2 for n in shape)


def test_odd_psf_is_symmetric_in_every_axis():
    psf = born_wolf_psf((7, 9, 11), 60.0, 525, 1.4, 1.515, 150.0)
    for axis in range(3):
        np.testing.assert_allclose(psf, np.flip(psf, axis), rtol=1e-12)


def test_na_must_lie_below_the_refractive_index():
    with pytest.raises(ValueError, match=r"na is 1\.4.*refractive_index"):
        born_wolf_psf((9, 9), 60.0, 525, 1.4, 1.33)


def test_a_volume_needs_its_z_step():
    with pytest.raises(ValueError, match="z_step_nm"):
        born_wolf_psf((5, 9, 9), 60.0, 525, 0.8, 1.0)
