"""A discriminator that sees noisy targets beside clean restorations has the noise painted, or not.

Spots on a dark ground, blurred and sharp, with a camera's noise; networks of some hundred weights.
"""

from typing import NamedTuple

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from training_runs import CPU

from crossres.catalogue.networks import CNN, GAN, TCAN
from crossres.measure.background import stripes
from crossres.measure.similarity import compare
from crossres.networks import build
from crossres.patches import TargetNoise
from crossres.restoration import restore
from crossres.training import TrainingData, train
from crossres.training.selection import radial_spectrum

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


class Scores(NamedTuple):
    """What networks make of fields that they have not seen, beside the truth."""

    background: float
    """Standard deviation where the truth is dark."""
    stripes: float
    """Peak of the spectrum of an empty field, in units of that of the noise in its input."""
    invented: float
    """Part of the variance of what is finer than 2 px that is not the truth's."""
    spectrum: float
    """Mean distance to the truth's power, in decades."""
    nrmse: float
    r: float


def spots(rng, count, side_px, density=1 / 500):
    """Inputs, targets and noiseless targets."""
    places = np.zeros((count, side_px, side_px))
    for field in places:
        y, x = rng.integers(0, side_px, (2, int(side_px**2 * density)))
        field[y, x] += rng.uniform(0.5, 1.5, len(x))
    truth = 14 * gaussian_filter(places, (0, 1.5, 1.5))
    blurred = 40 * gaussian_filter(places, (0, 3, 3))
    images = [
        clean + rng.normal(size=clean.shape) * np.sqrt(slope * clean + at_zero)
        for clean, slope, at_zero in ((blurred, 0.01, 0.005), (truth, 0.02, 0.01))
    ]
    return [image.astype(np.float32) for image in (*images, truth)]


def fine(image):
    return image - gaussian_filter(image, 2)


def score(network, inputs, truths, empty):
    restored = [restore(network, image) for image in inputs]
    pairs = list(zip(restored, truths, strict=True))
    similar = [compare(*pair) for pair in pairs]
    dark = np.concatenate([image[truth < 0.02] for image, truth in pairs])
    details = np.stack([[fine(image).ravel() for image in pair] for pair in pairs])
    invented = [a.var() * (1 - np.corrcoef(a, b)[0, 1] ** 2) / b.var() for a, b in details]
    signal = np.abs(radial_spectrum(truths)) > 1e-3
    powers = [radial_spectrum(images)[signal] for images in (restored, truths)]
    nothing = restore(network, empty)
    blocks = nothing.reshape(3, 32, 3, 32).swapaxes(1, 2).reshape(-1, 32, 32)
    return Scores(
        float(dark.std()),
        float(stripes(blocks) * blocks.var() / empty.var()),
        float(np.mean(invented)),
        float(np.abs(np.log10(powers[0] / powers[1])).mean()),
        float(np.mean([found["nrmse"] for found in similar])),
        float(np.mean([found["pearson_r"] for found in similar])),
    )


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """Train, and score on other fields."""
    rng = np.random.default_rng(0)
    x, y, _ = spots(rng, 60, 48)
    inputs, targets, truths = spots(rng, 2, 96)
    empty = spots(rng, 1, 96, density=0)[0][0]
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
            known[key] = score(network, inputs, truths, empty)
        return known[key]

    return scores


def settings(network, iterations=400, **more):
    return network(iterations=iterations, validate_every=iterations // 2, **{**COMMON, **more})


def test_the_published_loss_paints_the_targets_noise(scored):
    painted, clean = scored(settings(GAN, adversarial=PUBLISHED)), scored(settings(CNN))
    assert painted.background > 2.5 * clean.background
    assert painted.stripes > 5 * clean.stripes
    assert painted.invented > 5 * clean.invented
    assert painted.spectrum > 3 * clean.spectrum
    assert painted.nrmse > 1.5 * clean.nrmse
    assert painted.r < clean.r - 0.02


@pytest.mark.parametrize("seed", [0, 1])
def test_the_balanced_recipe_paints_nothing(scored, seed):
    painted, clean = scored(settings(GAN, adversarial=SMALL), seed), scored(settings(CNN), seed)
    assert painted.background < 1.5 * clean.background
    assert painted.stripes < 2.5 * clean.stripes
    assert painted.invented < 1.4 * clean.invented
    assert painted.spectrum < 1.2 * clean.spectrum
    assert painted.nrmse < 1.1 * clean.nrmse
    assert painted.r > clean.r - 0.01


@pytest.mark.parametrize("seed", range(5))
def test_tcan_converges_from_every_seed(scored, seed):
    sizes = {"groups": 1, "blocks": 1, "fourier_width": 4, "joined": 4, "last_activation": False}
    common = {"iterations": 120, "loss": {"mse": 1}, **sizes}
    clean = scored(settings(TCAN, adversarial=None, **common))
    painted = scored(settings(TCAN, adversarial=SMALL, **common), seed)
    assert painted.background < 1.5 * clean.background
    assert painted.r > clean.r - 0.03
