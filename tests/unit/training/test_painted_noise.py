"""A discriminator that sees noisy targets beside clean restorations has the noise painted, or not.

Spots on a dark ground, blurred and sharp, with a camera's noise; networks of some hundred weights.
"""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from training_runs import CPU

from crossres.catalogue.networks import CNN, GAN, TCAN
from crossres.networks import build
from crossres.patches import TargetNoise
from crossres.restoration import restore
from crossres.training import TrainingData, train

pytestmark = pytest.mark.slow

CAMERA = TargetNoise(0.02, 0.01)
COMMON = {
    "batch": 6,
    "crop_px": 32,
    "augment": True,
    "learning_rate": 2e-3,
    "schedule": "cosine",
    "depth": 1,
    "width": 4,
}
SMALL = {"width": 4, "blocks": 3, "downsample": True}
PUBLISHED = {**SMALL, "recipe": "published", "learning_rate": 2e-3, "warm_up_iterations": 200}


def spots(rng, count, side_px):
    """Inputs, targets and noiseless targets."""
    places = np.zeros((count, side_px, side_px))
    for field in places:
        y, x = rng.integers(0, side_px, (2, side_px**2 // 500))
        field[y, x] += rng.uniform(0.5, 1.5, len(x))
    truth = 14 * gaussian_filter(places, (0, 1.5, 1.5))
    blurred = 40 * gaussian_filter(places, (0, 3, 3))
    images = [
        clean + rng.normal(size=clean.shape) * np.sqrt(slope * clean + at_zero)
        for clean, slope, at_zero in ((blurred, 0.01, 0.005), (truth, 0.02, 0.01))
    ]
    return [image.astype(np.float32) for image in (*images, truth)]


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """Train and return the background's standard deviation, and r to the truth, on other fields."""
    rng = np.random.default_rng(0)
    x, y, _ = spots(rng, 60, 48)
    inputs, targets, truths = spots(rng, 2, 96)
    data = TrainingData(x, y, inputs, targets, CAMERA)
    known = {}

    def scores(settings, seed=0):
        key = (repr(settings), seed)
        if key not in known:
            torch.manual_seed(seed)
            name = type(settings).__name__.lower()
            network = build(name, 2, **settings.architecture)
            state = tmp_path_factory.mktemp("painted") / "state.pt"
            train(network, data, settings, seed, CPU, state, "stamp")
            restored = [restore(network, image) for image in inputs]
            pairs = list(zip(restored, truths, strict=True))
            dark = np.concatenate([image[truth < 0.02] for image, truth in pairs])
            r = np.mean([np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in pairs])
            known[key] = float(dark.std()), float(r)
        return known[key]

    return scores


def settings(network, iterations=400, **more):
    return network(iterations=iterations, validate_every=iterations // 2, **{**COMMON, **more})


def test_the_published_loss_paints_the_targets_noise(scored):
    painted, r = scored(settings(GAN, adversarial=PUBLISHED))
    clean, of_cnn = scored(settings(CNN))
    assert painted > 2.5 * clean
    assert r < of_cnn - 0.02


@pytest.mark.parametrize("seed", [0, 1])
def test_the_balanced_recipe_paints_nothing(scored, seed):
    painted, r = scored(settings(GAN, adversarial=SMALL), seed)
    clean, of_cnn = scored(settings(CNN), seed)
    assert painted < 1.5 * clean
    assert r > of_cnn - 0.01


@pytest.mark.parametrize("seed", range(5))
def test_tcan_converges_from_every_seed(scored, seed):
    sizes = {"groups": 1, "blocks": 1, "fourier_width": 4, "joined": 4}
    common = {"iterations": 120, "loss": {"mse": 1}, **sizes}
    clean, of_mse = scored(settings(TCAN, adversarial=None, **common))
    painted, r = scored(settings(TCAN, adversarial=SMALL, **common), seed)
    assert painted < 1.5 * clean
    assert r > of_mse - 0.03
