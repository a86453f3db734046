"""Every registered network, small enough for a test, and images that attention differs on."""

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from crossres.networks import ModelFile, build, save_model
from crossres.networks.files import clone_weights
from crossres.preprocess import Scale

SETTINGS = {
    ("gan", 2): {"width": 2, "depth": 3},
    ("cnn", 2): {"width": 2, "depth": 2},
    ("rcan", 2): {"width": 8, "groups": 2, "blocks": 1, "pooling_px": (32, 32)},
    ("rcan", 3): {"width": 4, "groups": 1, "blocks": 1, "pooling_px": (8, 32, 32)},
    ("tcan", 2): {"width": 2, "depth": 2, "groups": 1, "blocks": 1, "pooling_px": (32, 32)},
    ("dfcan", 2): {"width": 4, "groups": 1, "blocks": 2, "pooling_px": (32, 32)},
    ("care", 2): {"width": 2},
    ("care", 3): {"width": 2},
    ("srresnet", 2): {"width": 4, "blocks": 2},
    ("srresnet", 3): {"width": 4, "blocks": 2},
    ("esrgan", 2): {"width": 4, "growth": 2, "blocks": 1},
    ("esrgan", 3): {"width": 4, "growth": 2, "blocks": 1},
}


def small_network(name, dims=2, seed=0, **changes):
    """Return a network of one seed, ready to restore."""
    torch.manual_seed(seed)
    return build(name, dims, **{**SETTINGS[name, dims], **changes}).eval()


def untiled(model, image):
    """Return what the network alone makes of an image."""
    with torch.inference_mode():
        return model(torch.from_numpy(np.ascontiguousarray(image))[None, None])[0, 0].numpy()


def picture(shape, seed=1):
    """Return noise between 0 and 1."""
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def uneven_picture(shape, seed=1):
    """Return spots, dense in one half and in a corner, rare elsewhere, on a haze."""
    rng = np.random.default_rng(seed)
    spots = np.zeros(shape)
    spots[rng.random(shape) < 0.05] = 40
    dense = np.zeros(shape)
    dense[..., : shape[-1] // 2] = 1
    dense[..., -shape[-2] // 4 :, -shape[-1] // 5 :] = 1
    spots = np.where((dense > 0) | (rng.random(shape) < 0.05), spots, 0)
    blurred = gaussian_filter(spots, (0,) * (len(shape) - 2) + (2, 2))
    haze = np.linspace(0, 0.5, shape[-2])[:, None]
    return (blurred + haze + rng.normal(0, 0.02, shape)).astype(np.float32)


def write_model(path, network, name, dims=2, **about):
    """Write a network as a model file; normalises by 0..100, restores to 0..100."""
    known = {
        "input_scale": Scale(0.0, 100.0),
        "target_scale": Scale(0.0, 100.0),
        "pixel_size_nm": 50.0,
        **about,
    }
    settings = SETTINGS[name, dims]
    save_model(path, clone_weights(network), ModelFile(name, settings, dims, **known))
    return path
