import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import nn

from crossres.training.selection import (
    is_finite,
    radial_spectrum,
    restore_patches,
    spectrum_distance,
    validate,
)

CPU = torch.device("cpu")


@pytest.fixture
def targets(rng):
    """Patches with signal well below the highest frequencies."""
    noise = rng.normal(size=(6, 32, 32))
    return gaussian_filter(noise, (0, 1.5, 1.5), mode="wrap").astype(np.float32)


@pytest.mark.parametrize("period_px", [4, 8, 16])
def test_a_wave_has_its_power_at_its_frequency(period_px):
    wave = np.sin(2 * np.pi * np.arange(64) / period_px)[None, None, :] * np.ones((2, 64, 1))
    spectrum = radial_spectrum(wave)
    assert spectrum.shape == (33,)
    assert np.argmax(spectrum) == 64 // period_px


def test_white_noise_has_a_flat_spectrum(rng):
    spectrum = radial_spectrum(rng.normal(size=(400, 32, 32)))[2:]
    np.testing.assert_allclose(spectrum / spectrum.mean(), 1.0, atol=0.1)


def test_distance_of_a_target_to_itself_is_zero(targets):
    assert spectrum_distance(targets, targets) == 0.0


@pytest.mark.parametrize("factor", [0.1, 0.5, 3.0])
def test_a_factor_in_brightness_is_its_square_in_power(targets, factor):
    found = spectrum_distance(factor * targets, targets)
    assert found == pytest.approx(abs(2 * np.log10(factor)))


def test_offsets_do_not_count(targets):
    assert spectrum_distance(targets + 5.0, targets) == pytest.approx(0.0, abs=1e-4)


def test_blur_and_invented_texture_are_both_far(targets, rng):
    blurred = gaussian_filter(targets, (0, 1, 1))
    textured = targets + 0.3 * rng.normal(size=targets.shape)
    assert spectrum_distance(blurred, targets) > 0.2
    assert spectrum_distance(textured, targets) > 0.1


def test_a_target_without_signal_has_no_distance(rng):
    noise = rng.normal(size=(50, 32, 32))
    assert spectrum_distance(np.zeros_like(noise), noise) == 0.0


def test_restored_patches_keep_their_order_over_batches(rng):
    inputs = rng.random((71, 8, 8)).astype(np.float32)
    np.testing.assert_array_equal(restore_patches(nn.Identity(), inputs, CPU), inputs)


def test_a_network_goes_back_to_training(rng):
    network = nn.Dropout(0.5)
    inputs = rng.random((3, 8, 8)).astype(np.float32)
    # dropout is off while it is judged
    np.testing.assert_array_equal(restore_patches(network, inputs, CPU), inputs)
    assert network.training


def test_without_a_discriminator_the_score_is_the_mean_square_error(targets):
    inputs = 1.5 * targets
    scores = validate(nn.Identity(), inputs, targets, False, CPU)
    expected = 0.25 * np.mean(targets.astype(float) ** 2)
    assert scores["validation_mse"] == pytest.approx(expected, rel=1e-5)
    assert scores["validation_score"] == pytest.approx(expected, rel=1e-5)


def test_with_a_discriminator_the_score_adds_the_distance_of_the_spectra(targets):
    inputs = 1.5 * targets
    scores = validate(nn.Identity(), inputs, targets, True, CPU)
    relative = 0.25 * np.mean(targets.astype(float) ** 2) / np.var(targets.astype(float))
    expected = relative + 2 * np.log10(1.5)
    assert scores["validation_score"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("value", "finite"),
    [(0.0, True), (-1e30, True), (np.nan, False), (np.inf, False), (torch.tensor(np.nan), False),
     (torch.tensor(2.5), True)],
)  # fmt: skip
def test_finite_numbers(value, finite):
    assert is_finite(value) is finite
