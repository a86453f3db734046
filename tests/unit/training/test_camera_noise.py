"""Noise as the target's camera makes it, and as the registration's interpolation leaves it."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.ndimage import shift
from training_runs import CPU

from crossres.patches import TargetNoise, target_noise
from crossres.preprocess import NoiseLine, RoleConstants, Scale
from crossres.training.camera_noise import CameraNoise, spline_response

STILL = TargetNoise(0.02, 0.05)


def drawn_on(images, noise=STILL, seed=0, iteration=7, update="generator", rank=0):
    """The noise of one update of one iteration."""
    camera = CameraNoise(noise, seed, CPU, rank)
    camera.draw(images.shape, iteration, update)
    return camera.on(images, update)


@pytest.mark.parametrize("shift_px", [0.0, 0.25, 0.5, -1.3])
def test_a_spline_passes_as_much_of_noise_as_scipys(rng, shift_px):
    white = rng.normal(size=(4000, 64))
    moved = shift(white, (0, shift_px), order=3, mode="grid-wrap")
    power = np.abs(np.fft.rfft(moved)) ** 2 / np.abs(np.fft.rfft(white)) ** 2
    expected = spline_response(np.array([shift_px]), np.fft.rfftfreq(64))[0] ** 2
    np.testing.assert_allclose(np.median(power, axis=0), expected, atol=0.01)


def test_the_variance_is_the_line_of_the_image():
    images = torch.linspace(0, 3, 4)[:, None, None, None].expand(4, 1, 128, 128)
    drawn = drawn_on(images)
    found = drawn.flatten(1).var(dim=1).numpy()
    np.testing.assert_allclose(found, 0.02 * np.arange(4) + 0.05, rtol=0.05)
    assert abs(drawn.mean()) < 0.01


def test_where_the_line_falls_below_zero_a_quarter_of_the_dark_variance_is_left():
    images = torch.full((1, 1, 128, 128), -9.0)
    drawn = drawn_on(images)
    assert drawn.var() == pytest.approx(0.25 * 0.05, rel=0.05)


def test_noise_moved_by_half_a_pixel_loses_what_the_spline_takes(rng):
    moved = TargetNoise(0.0, 0.05, ((0.5, 0.5, 0.0),))
    drawn = drawn_on(torch.zeros(1, 1, 256, 256), moved)
    white = rng.normal(0, np.sqrt(0.05), (256, 256))
    assert drawn.std() == pytest.approx(
        shift(white, 0.5, order=3, mode="grid-wrap").std(), rel=0.02
    )


def test_it_depends_on_seed_iteration_update_and_process_alone():
    images = torch.zeros(2, 1, 8, 8)

    def drawn(**changes):
        return drawn_on(images, **changes)

    assert torch.equal(drawn(), drawn())
    for other in ({"seed": 1}, {"iteration": 4}, {"update": "discriminator"}, {"rank": 1}):
        assert not torch.equal(drawn(), drawn(**other))


def test_no_gradient_passes_through_it():
    images = torch.ones(1, 1, 8, 8, requires_grad=True)
    assert not drawn_on(images).requires_grad


def test_volumes_have_noise_in_every_slice():
    drawn = drawn_on(torch.zeros(2, 1, 3, 16, 16))
    assert drawn.shape == (2, 1, 3, 16, 16)
    assert (drawn.std(dim=(-2, -1)) > 0.1).all()


def test_counts_become_the_patches_units():
    # variance 2 per raw count less 10; background 5 subtracted; y = (counts - 20) / 50
    line = NoiseLine(per_count=2.0, at_zero=-10.0)
    constants = RoleConstants(pixel_size_nm=30.0, background=5.0, noise=line)
    rows = pd.DataFrame({
        "applied": [True, False],
        "shift_y_px": [1.5, 2.0],
        "shift_x_px": [-0.5, np.nan],
        "deformation_px": [0.1, 9.0],
    })  # fmt: skip
    found = target_noise(constants, Scale(20.0, 50.0), rows)
    y = 0.6
    raw = 50 * y + 20 + 5
    assert found.per_level * y + found.at_zero == pytest.approx((2 * raw - 10) / 50**2)
    assert found.moves_px == ((1.5, -0.5, 0.1), (0.0, 0.0, 0.0))


def test_unknown_noise_stays_unknown():
    assert target_noise(RoleConstants(pixel_size_nm=30.0), Scale(0.0, 1.0), pd.DataFrame()) is None
