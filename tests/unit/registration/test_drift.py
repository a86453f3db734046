import numpy as np
import pytest
from scipy.ndimage import fourier_shift, gaussian_filter

from crossres.registration import apply_shift, estimate_drift

DRIFT = np.cumsum(np.random.default_rng(4).normal(0, 0.4, (12, 2)), axis=0)
DRIFT -= DRIFT[0]


def texture(seed=0):
    return gaussian_filter(np.random.default_rng(seed).normal(size=(96, 112)), 2, mode="wrap") * 50


def sequence(noise=0.0):
    """Frames of one scene that drifts, shifted without loss as it continues periodically."""
    rng = np.random.default_rng(1)
    scene = np.fft.fft2(texture())
    frames = [np.fft.ifft2(fourier_shift(scene, shift)).real for shift in DRIFT]
    return np.stack(frames) + rng.normal(0, noise, (len(DRIFT), 96, 112))


def test_a_drift_is_found_from_the_first_frame_on():
    np.testing.assert_allclose(estimate_drift(sequence(), 10), DRIFT, atol=0.02)


def test_the_negative_drift_undoes_it():
    frames = sequence()
    back = apply_shift(frames[-1], -estimate_drift(frames, 10)[-1])
    inner = np.s_[10:-10, 10:-10]
    assert np.corrcoef(back[inner].ravel(), frames[0][inner].ravel())[0, 1] > 0.999


def test_more_comparisons_than_frames_average_the_noise():
    frames = sequence(noise=3.0)
    chained = np.zeros_like(DRIFT)
    for number in range(1, len(frames)):
        chained[number] = chained[number - 1] + estimate_drift(frames[number - 1 : number + 1])[1]
    redundant = estimate_drift(frames, 10)
    assert np.abs(redundant - DRIFT).mean() < np.abs(chained - DRIFT).mean()


def test_one_frame_has_not_drifted():
    np.testing.assert_array_equal(estimate_drift(sequence()[:1]), [[0, 0]])


def test_a_frame_that_resembles_no_other_is_named():
    frames = sequence()[:6]
    frames[3] = np.random.default_rng(9).normal(size=frames[3].shape)
    with pytest.raises(ValueError, match="frame 3 resembles no other"):
        estimate_drift(frames, 10)


def test_only_sequences_drift():
    with pytest.raises(ValueError, match=r"expected \(T, Y, X\)"):
        estimate_drift(sequence()[0])
