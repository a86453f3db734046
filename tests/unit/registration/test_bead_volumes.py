"""Sparse beads as two objectives show them: drawn as Gaussians at exact places, with photon noise.

The input's beads are 3 times as long as the target's along z, and beads above and below the slices
shine in, as in a gel.
"""

import numpy as np
import pytest

from crossres.registration import register_pair
from crossres.settings import Registration

pytestmark = pytest.mark.slow

SHAPE = (32, 128, 128)
STEPS_NM = np.array([150.0, 60.0, 60.0])
INPUT_NM, TARGET_NM = (430.0, 110.0, 110.0), (150.0, 70.0, 70.0)
BEADS = 28
"""In the volume and 2 micrometres around it, of which about eight lie within."""


def draw_beads(seed, move=lambda places_nm: places_nm, count=BEADS):
    """Return both volumes and the places of the beads within; ``move`` moves the target's."""
    rng = np.random.default_rng(seed)
    size_nm = STEPS_NM * SHAPE
    places_nm = rng.uniform(-2000.0, size_nm + 2000.0, (count, 3))
    light = rng.lognormal(0.0, 0.3, count)
    volumes = []
    for widths_nm, photons, at_nm in (
        (INPUT_NM, 200.0, places_nm),
        (TARGET_NM, 400.0, move(places_nm)),
    ):
        lines = [
            np.exp(-((((np.arange(n) + 0.5) * step)[:, None] - at) ** 2) / (2 * width**2))
            for n, step, at, width in zip(SHAPE, STEPS_NM, at_nm.T, widths_nm, strict=True)
        ]
        image = np.einsum("zk,yk,xk,k->zyx", *lines, light, optimize=True)
        noisy = rng.poisson(photons * image + 5.0) + rng.normal(100.0, 1.5, SHAPE)
        volumes.append(np.round(noisy).astype(np.uint16))
    inside = ((places_nm > 0) & (places_nm < size_nm)).all(axis=1)
    return *volumes, places_nm[inside]


def register(fixed, free, **settings):
    chosen = Registration(**{"method": "affine", "max_shift_nm": 400.0, **settings})
    return register_pair(fixed, free, chosen, tuple(STEPS_NM))


def errors_nm(found, drift_nm):
    """Return the root mean square error over the volume along each axis: drift is brought back."""
    moved_nm = found.displacement * STEPS_NM[:, None, None, None]
    return np.sqrt(((moved_nm + np.reshape(drift_nm, (3, 1, 1, 1))) ** 2).mean(axis=(1, 2, 3)))


@pytest.mark.parametrize(("method", "seed"), [("shift", 0), ("affine", 0), ("affine", 2)])
def test_the_drift_of_few_beads_is_found_to_a_fraction_of_a_slice(seed, method):
    drift_nm = np.random.default_rng([1, seed]).normal(0.0, 60.0, 3)
    fixed, free, places_nm = draw_beads(seed, lambda places: places + drift_nm)
    assert 4 <= len(places_nm) <= 14
    found = register(fixed, free, method=method)
    assert found.values["accepted"], found.values["reason"]
    z_nm, y_nm, x_nm = errors_nm(found, drift_nm)
    # a fifth of a slice, a tenth of a pixel
    assert z_nm < 30.0
    assert np.hypot(y_nm, x_nm) < 6.0
    # more than a pixel anywhere would be a deformation that no bead shows
    assert found.values["deformation_px"] < 1.0


@pytest.mark.parametrize("seed", range(2))
def test_the_residual_is_not_far_below_the_error(seed):
    drift_nm = np.random.default_rng([2, seed]).normal(0.0, 60.0, 3)
    found = register(*draw_beads(seed + 10, lambda places: places + drift_nm)[:2])
    error_px = np.linalg.norm(errors_nm(found, drift_nm)) / STEPS_NM[-1]
    assert error_px < 4 * found.values["residual_px"] + 0.02


def test_a_deformation_that_many_beads_show_is_found():
    matrix = np.array([[0.0, 0.0, 0.0], [0.0, 0.01, -0.02], [0.0, 0.02, 0.01]])
    middle_nm = STEPS_NM * SHAPE / 2
    fixed, free, places_nm = draw_beads(
        5, lambda places: places - (places - middle_nm) @ matrix.T, count=200
    )
    found = register(fixed, free)
    assert found.values["accepted"], found.values["reason"]
    z, y, x = np.floor(places_nm / STEPS_NM).astype(int).T
    moved_nm = found.displacement[:, z, y, x].T * STEPS_NM
    error_nm = moved_nm - (places_nm - middle_nm) @ matrix.T
    still_nm = (places_nm - middle_nm) @ matrix.T
    assert np.sqrt((error_nm[:, 1:] ** 2).sum(axis=1).mean()) < 12.0
    assert np.sqrt((still_nm**2).sum(axis=1).mean()) > 40.0


@pytest.mark.parametrize("seed", range(2))
def test_volumes_of_other_beads_are_never_accepted(seed):
    fixed, _, _ = draw_beads(seed + 20)
    _, free, _ = draw_beads(seed + 30)
    # whatever chance makes them correlate by
    found = register(fixed, free, min_correlation=-1.0)
    assert not found.values["accepted"]
    assert not found.displacement.any()


def test_an_uncertain_registration_is_refused_by_its_residual():
    fixed, free, _ = draw_beads(0, lambda places: places + 50.0)
    found = register(fixed, free, max_residual_px=1e-3)
    assert not found.values["accepted"]
    assert "estimated residual" in found.values["reason"]
    assert "above max_residual_px (0.001)" in found.values["reason"]


def test_a_deformation_beyond_the_limit_is_refused():
    middle_nm = STEPS_NM * SHAPE / 2
    fixed, free, _ = draw_beads(
        5, lambda places: places + 0.03 * (places - middle_nm) * (0, 1, 1), count=200
    )
    found = register(fixed, free, max_deformation_px=1.0)
    assert not found.values["accepted"]
    assert "beyond max_deformation_px (1)" in found.values["reason"]
