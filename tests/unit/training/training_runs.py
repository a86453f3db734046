"""What the tests of training share: small data, whole settings, and a run of both."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.ndimage import gaussian_filter

from crossres.networks import build
from crossres.training import TrainingData, train
from crossres.training.batches import Sampling, draw_batch
from crossres.training.selection import Validation

CPU = torch.device("cpu")

PLAIN = {"iterations": 8, "batch": 4, "crop_px": None, "learning_rate": 1e-3,
         "betas": [0.9, 0.999], "schedule": "constant", "halvings": 4,
         "rate_warm_up_iterations": 0, "augment": True, "loss": {"mse": 1}, "precision": "auto",
         "compile": False, "validate_every": 2, "adversarial": None, "foreground_level": 0.25,
         "foreground_fraction": 0.0}  # fmt: skip
DISCRIMINATOR = {"kind": "standard", "width": 2, "blocks": 3, "fully_connected": 2,
                 "leading_convolution": True,
                 "downsample": True, "learning_rate": 1e-3, "warm_up_iterations": 3, "weight": 1,
                 "shares": {"mse": 0.5, "log_ssim": 0.1}}  # fmt: skip
ADVERSARIAL = changed(PLAIN, adversarial=DISCRIMINATOR)
BOTH = pytest.mark.parametrize("settings", [PLAIN, ADVERSARIAL], ids=["plain", "adversarial"])


def against(settings=PLAIN, **changes):
    """Settings with a discriminator, some of its own changed."""
    return changed(settings, adversarial={**DISCRIMINATOR, **changes})


def make_data(side_px=16, patches=10):
    """Patches that are blurred, and two fields of another size."""
    noise = np.random.default_rng(0).normal(size=(patches + 2, side_px, side_px))
    targets = gaussian_filter(noise, (0, 1, 1), mode="wrap").astype(np.float32)
    inputs = gaussian_filter(targets, (0, 1.5, 1.5), mode="wrap")
    fields = [
        [field[:, : side_px - 2] for field in images[patches:]] for images in (inputs, targets)
    ]
    return TrainingData(inputs[:patches], targets[:patches], *fields)


def poisoned(data, part="train_inputs", patches=slice(None)):
    """The same data, some patches not a number."""
    images = getattr(data, part).copy()
    images[patches] = np.nan
    return TrainingData(**{**data.__dict__, part: images})


def drawn_patches(batch, iteration, seed=0, patches=10):
    """Numbers of the patches of one iteration, as the processes of a team get them in turn."""
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


def judge_by(monkeypatch, scores, relative=None):
    """Let the validations give these scores, one after the other; the first is of iteration 0.

    ``relative`` are their mean square errors over the targets' variance.
    """
    given = zip(scores, relative or [1.0] * len(scores), strict=True)

    def judge(*_):
        score, error = next(given)
        return {"validation_mse": 1.0, "validation_score": score, "validation_relative_mse": error}

    monkeypatch.setattr(Validation, "scores", judge)


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
