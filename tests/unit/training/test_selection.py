"""How a network is scored on the whole validation fields."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import nn
from training_runs import CPU

from crossres.training.losses import FIDELITY
from crossres.training.selection import BINS, Validation, radial_spectrum
from crossres.training.selection import spectrum_distance as between_spectra


@pytest.fixture
def targets(rng):
    """Fields of three sizes with signal well below the highest frequencies."""
    shapes = [(32, 32), (48, 40), (37, 64)]
    noise = [rng.normal(size=shape) for shape in shapes]
    return [gaussian_filter(image, 1.5, mode="wrap").astype(np.float32) for image in noise]


def spectrum_distance(restored, target):
    """Of the spectra of some fields."""
    return between_spectra(radial_spectrum(restored), radial_spectrum(target))


def scored(network, inputs, targets, adversarial, **loss):
    """Scores of a network on these fields."""
    return Validation(inputs, targets, loss or {"mse": 1}, adversarial, CPU).scores(network)


def times(fields, factor):
    return [np.float32(factor) * field for field in fields]


def wave(period_px, *shape):
    return np.sin(2 * np.pi * np.arange(shape[-1]) / period_px) * np.ones(shape)


@pytest.mark.parametrize("period_px", [4, 8, 16])
@pytest.mark.parametrize("shapes", [[(64, 64)], [(64, 64), (32, 96)], [(3, 64, 64)]])
def test_a_wave_has_its_power_at_its_frequency_whatever_the_size(period_px, shapes):
    spectrum = radial_spectrum([wave(period_px, *shape) for shape in shapes])
    assert spectrum.shape == (BINS,)
    # the last ring ends at half a cycle a pixel
    assert np.argmax(spectrum) == 2 * BINS // period_px


def test_a_wave_has_the_same_power_in_a_larger_field():
    small, large = (radial_spectrum([wave(8, n, n)]) for n in (64, 128))
    # in the plane twice as many frequencies lie in a ring along each axis
    ring = slice(2 * BINS // 8 - 2, 2 * BINS // 8 + 3)
    assert large[ring].sum() / small[ring].sum() == pytest.approx(1.0, abs=0.5)


def test_white_noise_has_a_flat_spectrum_of_its_variance(rng):
    spectrum = radial_spectrum(list(rng.normal(size=(300, 32, 32))))
    filled = spectrum[spectrum > 0][2:]
    # of the Hann window's mean square, 3/8 an axis
    np.testing.assert_allclose(filled, (3 / 8 * 31 / 32) ** 2, rtol=0.15)


def test_distance_of_a_target_to_itself_is_zero(targets):
    assert spectrum_distance(targets, targets) == 0.0


@pytest.mark.parametrize("factor", [0.1, 0.5, 3.0])
def test_a_factor_in_brightness_is_its_square_in_power(targets, factor):
    found = spectrum_distance(times(targets, factor), targets)
    assert found == pytest.approx(abs(2 * np.log10(factor)), rel=1e-5)


def test_offsets_do_not_count(targets):
    moved = [field + 5.0 for field in targets]
    assert spectrum_distance(moved, targets) == pytest.approx(0.0, abs=1e-4)


def test_blur_and_invented_texture_are_both_far(targets, rng):
    blurred = [gaussian_filter(field, 1) for field in targets]
    textured = [field + 0.3 * rng.normal(size=field.shape) for field in targets]
    assert spectrum_distance(blurred, targets) > 0.2
    assert spectrum_distance(textured, targets) > 0.1


def test_a_target_without_signal_has_no_distance(rng):
    noise = list(rng.normal(size=(50, 32, 32)))
    assert spectrum_distance([np.zeros((32, 32))] * 50, noise) == 0.0


def test_a_network_is_scored_at_rest_and_goes_back_to_training(targets):
    network = nn.Dropout(0.5)
    scores = scored(network, targets, targets, False)
    # dropout is off while it is scored
    assert scores["validation_mse"] == 0.0
    assert network.training


def mean_square(fields):
    return np.mean(np.concatenate([field.ravel() for field in fields]).astype(float) ** 2)


def test_without_a_discriminator_the_score_is_the_mean_square_error_of_all_pixels(targets):
    scores = scored(nn.Identity(), times(targets, 1.5), targets, False)
    expected = 0.25 * mean_square(targets)
    assert scores["validation_mse"] == pytest.approx(expected, rel=1e-5)
    assert scores["validation_score"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss", [{"mae": 1.0}, {"mse": 1.0, "ssim": 0.1}, {"mae": 2, "mse": 0}])
def test_without_a_discriminator_the_score_is_the_loss_it_learns_by(targets, loss):
    scores = scored(nn.Identity(), times(targets, 1.5), targets, False, **loss)
    sizes = np.array([field.size for field in targets])
    expected = 0.0
    for name, weight in loss.items():
        terms = [
            float(FIDELITY[name](*(torch.from_numpy(image)[None, None] for image in pair)))
            for pair in zip(times(targets, 1.5), targets, strict=True)
        ]
        expected += weight * np.average(terms, weights=sizes)
    assert scores["validation_score"] == pytest.approx(expected, rel=1e-5)
    assert scores["validation_mse"] == pytest.approx(0.25 * mean_square(targets), rel=1e-5)


def test_the_relative_error_is_over_the_variance_of_all_targets(targets):
    # fields that differ in brightness: their common variance, not the mean of each one's
    targets = [field + 3 * place for place, field in enumerate(targets)]
    pixels = np.concatenate([field.ravel() for field in targets]).astype(float)
    scores = scored(nn.Identity(), times(targets, 1.5), targets, False)
    expected = 0.25 * np.mean(pixels**2) / np.var(pixels)
    assert scores["validation_relative_mse"] == pytest.approx(expected, rel=1e-5)


def test_with_a_discriminator_the_score_adds_the_distance_of_the_spectra(targets):
    scores = scored(nn.Identity(), times(targets, 1.5), targets, True)
    distance = 2 * np.log10(1.5)
    assert scores["validation_spectrum_distance"] == pytest.approx(distance, rel=1e-4)
    expected = scores["validation_relative_mse"] + distance
    assert scores["validation_score"] == pytest.approx(expected, rel=1e-4)


def test_targets_without_variance_give_a_finite_score():
    flat = [np.ones((16, 16), dtype=np.float32)]
    scores = scored(nn.Identity(), times(flat, 2), flat, True)
    assert all(np.isfinite(list(scores.values())))


def test_volumes_are_scored_whole(rng):
    fields = [rng.random((3, 20, 24)).astype(np.float32)]
    network = nn.Conv3d(1, 1, 1)
    nn.init.constant_(network.weight, 2.0)
    nn.init.zeros_(network.bias)
    scores = scored(network, fields, fields, False)
    assert scores["validation_mse"] == pytest.approx(mean_square(fields), rel=1e-5)


def test_a_network_that_gives_no_numbers_has_the_worst_scores(targets):
    network = nn.Conv2d(1, 1, 1)
    nn.init.constant_(network.weight, np.nan)
    scores = scored(network, targets, targets, True)
    assert set(scores.values()) == {np.inf}
    assert network.training
