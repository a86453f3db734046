import numpy as np
import pytest
from microscopes_with_cameras import CAMERA, changed
from scipy.interpolate import CubicSpline
from scipy.optimize import curve_fit

from crossres.jobs import InputError
from crossres.optics import psf_fwhm_nm
from crossres.samples import SAMPLES, Emitters
from crossres.settings import (
    STED,
    Confocal,
    Modalities,
    PairAcquisition,
    VolumeAcquisition,
    Widefield,
)
from crossres.simulate import acquire
from crossres.simulate.acquisition.volume import image_volume

pytestmark = pytest.mark.slow

FIELDS = {"train": 1, "validation": 1, "test": 1}
BEADS = SAMPLES["bead_volume"](kind="bead_volume", density_per_um3=0.3)
VOLUME = VolumeAcquisition(kind="volume", fields=FIELDS, field_px=64, slices=12, drift_nm=100.0)
COMMON = {"na": 1.2, "refractive_index": 1.333, "wavelength_nm": 525.0, "camera": CAMERA}
BEAM = {"excitation_nm": 488.0, "pinhole_airy_units": 1.0}
CONFOCAL = Confocal(
    kind="confocal", **COMMON, **BEAM, residual_blur_nm=150.0, pixel_size_nm=80.0, z_step_nm=200.0
)
STED_4 = STED(
    kind="sted", **COMMON, **BEAM, depletion_nm=660.0, saturation_factor=4.0, pixel_size_nm=40.0,
    z_step_nm=150.0,
)  # fmt: skip
WIDEFIELD = Widefield(kind="widefield", **COMMON, pixel_size_nm=60.0, z_step_nm=150.0)
SAME = Modalities(input=CONFOCAL, target=CONFOCAL)
KIND = {"ids": lambda microscope: microscope.kind}


def acquire_gel(number=0, modalities=SAME, seed=7, sample=BEADS, **settings):
    return acquire(sample, changed(VOLUME, **settings), modalities, "beads", number, seed)


def one_bead(place_nm, diameter_nm=100.0):
    return Emitters(np.array([place_nm]), np.ones(1), diameter_nm)


def steps_of(microscope):
    return np.array([microscope.z_step_nm, *[microscope.pixel_size_nm] * 2])


def lines_through(volume):
    """The lines along z, y and x through the brightest voxel."""
    k, j, i = np.unravel_index(volume.argmax(), volume.shape)
    return volume[:, j, i], volume[k, :, i], volume[k, j]


def half_maximum(line, step_nm):
    """Centre and full width at half maximum of a peak, by a spline through its samples."""
    x_nm = (np.arange(len(line)) + 0.5) * step_nm
    spline = CubicSpline(x_nm, line)
    fine_nm = np.linspace(x_nm[0], x_nm[-1], 20001)
    values = spline(fine_nm)
    above = fine_nm[values > values.max() / 2]
    return fine_nm[values.argmax()], above[-1] - above[0]


def gaussian_width(line, step_nm, fwhm_nm):
    """Width of a Gaussian fitted within one width of the brightest sample."""
    x_nm = (np.arange(len(line)) + 0.5) * step_nm
    near = np.abs(x_nm - x_nm[line.argmax()]) <= fwhm_nm

    def gaussian(x, peak, centre, fwhm, background):
        return peak * 2.0 ** (-((2 * (x - centre) / fwhm) ** 2)) + background

    start = (line.max(), x_nm[line.argmax()], fwhm_nm, 0.0)
    (_, _, fwhm, _), _ = curve_fit(gaussian, x_nm[near], line[near], p0=start)
    return abs(fwhm)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("diameter_nm", [0.0, 100.0])
@pytest.mark.parametrize("microscope", [CONFOCAL, STED_4, WIDEFIELD], **KIND)
def test_a_bead_is_as_wide_as_the_optics_say_and_lies_where_it_was_put(
    microscope, diameter_nm, axis
):
    lateral_nm, axial_nm = psf_fwhm_nm(microscope, diameter_nm)
    steps = steps_of(microscope)
    for part in (0.0, 0.3, -0.45):
        # on the centre of a voxel, but for this part of a voxel along the axis
        place_nm = (np.array([12, 24, 24]) + 0.5 + part * (np.arange(3) == axis)) * steps
        bead, size_nm = one_bead(place_nm, diameter_nm), tuple(steps * [25, 49, 49])
        volume = image_volume(bead, microscope, size_nm)
        centre, width = half_maximum(lines_through(volume)[axis], steps[axis])
        assert width == pytest.approx(axial_nm if axis == 0 else lateral_nm, rel=0.01)
        # of a STED spot there are but three pixels for the spline
        assert centre == pytest.approx(place_nm[axis], abs=0.04 * steps[axis])


def test_gaussians_fitted_to_beads_are_as_wide_as_the_optics_say(rng):
    lateral_nm, axial_nm = psf_fwhm_nm(CONFOCAL, 100.0)
    steps, widths = steps_of(CONFOCAL), []
    for _ in range(10):
        place_nm = (np.array([12, 20, 20]) + rng.uniform(0, 1, 3)) * steps
        volume = image_volume(one_bead(place_nm), CONFOCAL, tuple(steps * [25, 41, 41]))
        lines = zip(lines_through(volume), steps, (axial_nm, *[lateral_nm] * 2), strict=True)
        widths.append([gaussian_width(line, step, width) for line, step, width in lines])
    found = np.mean(widths, axis=0)
    np.testing.assert_allclose(found, [axial_nm, lateral_nm, lateral_nm], rtol=0.03)


@pytest.mark.parametrize("microscope", [CONFOCAL, STED_4, WIDEFIELD], **KIND)
def test_a_bead_on_a_voxels_centre_has_its_brightness_there(microscope):
    steps = np.array([microscope.z_step_nm, *[microscope.pixel_size_nm] * 2])
    size_nm = tuple(np.array([9, 20, 21]) * steps)
    volume = image_volume(one_bead((np.array([4, 11, 7]) + 0.5) * steps), microscope, size_nm)
    assert volume[4, 11, 7] == pytest.approx(1.0, abs=1e-3)
    assert volume.max() == volume[4, 11, 7]


def test_light_of_beads_above_and_below_comes_into_a_wide_field():
    size_nm = (6 * 150.0, 60 * 60.0, 60 * 60.0)
    above = one_bead((-900.0, 1800.0, 1800.0))
    volume = image_volume(above, WIDEFIELD, size_nm)
    light = volume.sum(axis=(1, 2))
    # every slice of a wide field holds the same light
    np.testing.assert_allclose(light / light.mean(), 1.0, atol=0.1)
    assert volume.max() < 0.3


def test_a_confocal_hardly_sees_beads_above_and_below():
    size_nm = (6 * 200.0, 40 * 80.0, 40 * 80.0)
    inside, outside = (
        image_volume(one_bead((z_nm, 1600.0, 1600.0)), CONFOCAL, size_nm).sum()
        for z_nm in (600.0, -1500.0)
    )
    assert 0 < outside < 0.1 * inside


def test_both_stacks_cover_the_same_extent_in_their_own_steps():
    found = acquire_gel(modalities=Modalities(input=CONFOCAL, target=STED_4), slices=16)
    # 16 x 150 nm by 64 x 40 nm
    assert found.images["target"][""].shape == found.noiseless.shape == (16, 64, 64)
    assert found.images["input"][""].shape == (12, 32, 32)


def test_beads_lie_at_the_same_place_in_both_stacks():
    acquired = acquire_gel(
        modalities=Modalities(input=CONFOCAL, target=STED_4), drift_nm=0.0, slices=16
    )
    both = []
    for role, (step, pixel) in (("input", (200.0, 80.0)), ("target", (150.0, 40.0))):
        light = acquired.images[role][""] - 20.0
        steps = (step, pixel, pixel)
        axes = [(np.arange(n) + 0.5) * s for n, s in zip(light.shape, steps, strict=True)]
        both.append([
            (light.sum(axis=tuple({0, 1, 2} - {axis})) @ axes[axis]) / light.sum()
            for axis in range(3)
        ])  # fmt: skip
    np.testing.assert_allclose(both[0], both[1], atol=80.0)


def test_the_target_is_moved_by_a_drift_in_three_dimensions():
    steps = np.array([200.0, 80.0, 80.0])
    emitters = one_bead(np.array([12, 20, 20]) * steps)
    size_nm = tuple(np.array([24, 40, 40]) * steps)
    drift_nm = np.array([170.0, -130.0, 95.0])
    still, moved = (image_volume(emitters, CONFOCAL, size_nm, d) for d in (None, drift_nm))
    for axis, step in enumerate(steps):
        was, now = (half_maximum(lines_through(v)[axis], step)[0] for v in (still, moved))
        assert now - was == pytest.approx(drift_nm[axis], abs=6.0)


def test_root_mean_square_drift_is_as_asked_along_all_axes():
    few = changed(BEADS, density_per_um3=1e-6)
    drifts = np.array([
        acquire_gel(n, sample=few, field_px=32, slices=1, drift_nm=30.0).drifts_nm[0]
        for n in range(60)
    ])  # fmt: skip
    assert drifts.shape == (60, 3)
    assert np.sqrt((drifts**2).sum(axis=1).mean()) == pytest.approx(30.0, rel=0.2)
    np.testing.assert_allclose(drifts.std(axis=0), 30.0 / np.sqrt(3), rtol=0.35)


def test_the_noiseless_volume_is_the_target_without_noise_and_drift():
    acquired = acquire_gel()
    # both microscopes are the same here, and the input did not drift
    variance = acquired.noiseless - 10.0 + 2.0**2 + 1 / 12
    deviation = (acquired.images["input"][""] - acquired.noiseless) / np.sqrt(variance)
    assert acquired.noiseless.dtype == np.float32
    assert deviation.mean() == pytest.approx(0.0, abs=5 / 220)
    assert deviation.std() == pytest.approx(1.0, abs=0.02)


def test_the_same_seed_and_number_give_the_same_volumes():
    first, again, other = acquire_gel(3), acquire_gel(3), acquire_gel(4)
    for role in ("input", "target"):
        np.testing.assert_array_equal(first.images[role][""], again.images[role][""])
    assert first.emitters.position_nm.shape != other.emitters.position_nm.shape or not np.allclose(
        first.emitters.position_nm, other.emitters.position_nm
    )


def test_beads_on_a_coverslip_may_be_taken_as_a_volume():
    flat = SAMPLES["beads"](kind="beads", pair_fraction=0.0, density_per_um2=0.5)
    volume = acquire_gel(sample=flat, drift_nm=0.0, slices=13).noiseless
    light = volume.sum(axis=(1, 2))
    assert light.argmax() == 6


def test_a_gel_is_no_sample_of_a_flat_acquisition():
    flat = PairAcquisition(kind="pair", fields=FIELDS)
    with pytest.raises(InputError, match="acquisition is pair, which cannot image bead_volume"):
        acquire(BEADS, flat, SAME, "beads", 0, 0)


def test_cells_are_no_sample_of_a_volume():
    cells = SAMPLES["cells"](kind="cells", stains={"dapi": {"structure": "nuclei"}})
    with pytest.raises(InputError, match="acquisition is volume, which cannot image cells"):
        acquire_gel(sample=cells)
