"""What the tests of training share: small data, whole settings, and a run of both."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.ndimage import gaussian_filter

from crossres.catalogue.networks import GAN, GanAdversarial
from crossres.networks import build
from crossres.patches import TargetNoise
from crossres.training import TrainingData, train
from crossres.training.batches import Sampling, draw_batch
from crossres.training.selection import Validation

CPU = torch.device("cpu")

PLAIN = GAN(
    iterations=8,
    batch=4,
    learning_rate=1e-3,
    augment=True,
    loss={"mse": 1},
    validate_every=2,
    width=2,
    depth=1,
    adversarial=None,
)
ADVERSARIAL = PLAIN.model_copy(
    update={
        "adversarial": GanAdversarial(
            recipe="published",
            width=2,
            blocks=3,
            downsample=True,
            learning_rate=1e-3,
            warm_up_iterations=3,
            shares={"mse": 0.5, "log_ssim": 0.1},
        )
    }
)
BALANCED = ADVERSARIAL.model_copy(
    update={
        "adversarial": GanAdversarial(
            kind="relativistic",
            width=2,
            blocks=3,
            downsample=True,
            learning_rate=1e-3,
            warm_up_iterations=1,
            alone_iterations=1,
            gradient_share=0.3,
            camera_noise=True,
            gradient_penalty=0.1,
        )
    }
)
NOISE = TargetNoise(0.02, 0.05, ((0.3, 0.5, 0.2), (0.0, 0.0, 0.0)))
BOTH = pytest.mark.parametrize(
    "settings", [PLAIN, ADVERSARIAL, BALANCED], ids=["plain", "adversarial", "balanced"]
)


def changed(settings, **changes):
    """The same settings, some of them changed; they are checked as those of a configuration."""
    return type(settings)(**{**settings.as_params(), **changes})


def against(settings=PLAIN, **changes):
    """Settings with a discriminator, some of its own changed."""
    return changed(settings, adversarial=changed(ADVERSARIAL.adversarial, **changes))


def make_data(side_px=16, patches=10):
    """Patches that are blurred, and two fields of another size."""
    noise = np.random.default_rng(0).normal(size=(patches + 2, side_px, side_px))
    targets = gaussian_filter(noise, (0, 1, 1), mode="wrap").astype(np.float32)
    inputs = gaussian_filter(targets, (0, 1.5, 1.5), mode="wrap")
    fields = [
        [field[:, : side_px - 2] for field in images[patches:]] for images in (inputs, targets)
    ]
    return TrainingData(inputs[:patches], targets[:patches], *fields, NOISE)


def data_for(settings, data):
    """Data that the settings can be trained on: patches larger than their crops."""
    return make_data(side_px=20) if settings.crop_px else data


def poisoned(data, part="train_inputs", patches=slice(None)):
    """The same data, some patches not a number."""
    images = getattr(data, part).copy()
    images[patches] = np.nan
    return TrainingData(**{**data.__dict__, part: images})


def drawn_patches(batch, iteration, seed=0, patches=10):
    """Numbers of the patches of one iteration, as the processes of a group get them in turn."""
    numbers = np.arange(patches, dtype=np.float32)[:, None, None]
    x, _ = draw_batch(numbers, numbers, Sampling(batch, False, seed), iteration)
    return x.int().flatten().tolist()


def small_network(seed=0):
    """A U-Net of a few hundred weights."""
    torch.manual_seed(seed)
    return build("gan", width=2, depth=1)


def run(data, settings, folder, stamp="stamp", seed=0, network=None, **keywords):
    """Train from scratch, or go on from the state in a folder."""
    network = network or small_network(seed)
    path = folder / "training_state.pt"
    return train(network, data, settings, seed, CPU, path, stamp, **keywords)


def score_by(monkeypatch, scores, relative=None):
    """Let the validations give these scores, one after the other; the first is of iteration 0.

    ``relative`` are their mean square errors over the targets' variance.
    """
    given = zip(scores, relative or [1.0] * len(scores), strict=True)

    def score(*_):
        value, error = next(given)
        return {"validation_mse": 1.0, "validation_score": value, "validation_relative_mse": error}

    monkeypatch.setattr(Validation, "scores", score)


def assert_same(found, expected):
    """Weights and history agree to the last bit."""
    weights, history = found
    assert weights.keys() == expected[0].keys()
    for name, tensor in weights.items():
        assert torch.equal(tensor, expected[0][name]), name
    pd.testing.assert_frame_equal(history, expected[1], check_exact=True)


def assert_same_weights(found, expected):
    assert found.keys() == expected.keys()
    for name, tensor in found.items():
        assert torch.equal(tensor, expected[name]), name
