"""Small networks and their packages, and bioimageio.core as another program would run it."""

import gc
import zipfile

import numpy as np
import torch

from crossres.catalogue.networks import NETWORKS
from crossres.networks import ModelFile, build, takes_pooling
from crossres.preprocess import Scale, subtract_background

SIZES = {"width": 2, "depth": 1, "groups": 1, "blocks": 1, "growth": 2}
"""Sizes for a test, by their names in the catalogue."""

TITLE = "Confocal to STED, 20-nm beads (simulated)"
TRAINED = {"experiment": "beads", "channel": "red", "seed": 3, "data": "simulated"}


def model(name, dims=2, **model_file):
    """A network of random weights, and what its model file would say."""
    settings = {key: size for key, size in SIZES.items() if key in NETWORKS[name].own()}
    if takes_pooling(name):
        settings["pooling_px"] = [4, 16, 16][-dims:]
    torch.manual_seed(1)
    network = build(name, dims, **settings).eval().requires_grad_(False)
    facts = {
        "pixel_size_nm": 30.0,
        "z_step_nm": 160.0 if dims == 3 else None,
        "trained": TRAINED,
        "input_scale": Scale(100.0, 800.0),
        "target_scale": Scale(20.0, 300.0),
        **model_file,
    }
    return network, ModelFile(name, settings, dims, **facts)


def photons(*shape):
    """Counts of a scene that is nowhere the same."""
    rng = np.random.default_rng(20190101)
    return rng.poisson(rng.uniform(100, 900, shape)).astype(np.float32)


def restored_by_crossres(network, model_file, counts):
    """What this workflow makes of an image, in one piece."""
    if model_file.background:
        counts = subtract_background(counts, model_file.background)
    before, after = model_file.scales_of(counts)
    with torch.inference_mode():
        output = network(torch.from_numpy(before.apply(counts))[None, None])[0, 0].numpy()
    return output if model_file.percentiles_per_image else after.invert(output)


def restored_by_package(path, counts, tile_px=None):
    """What bioimageio.core makes of an image: in one piece, or in tiles with the halo cut off."""
    from bioimageio.core import Sample, Tensor, create_prediction_pipeline, load_model_description

    axes = ["batch", "channel", *"zyx"[-counts.ndim :]]
    tensor = Tensor.from_numpy(counts[None, None], dims=axes)
    sample = Sample(members={"input": tensor}, stat={}, id="sample")
    # bioimageio.core collects garbage after each model, which need not be all of torch's objects
    gc.freeze()
    with zipfile.ZipFile(path) as package:
        description = load_model_description(package)
        with create_prediction_pipeline(description, devices=["cpu"]) as pipeline:
            if tile_px is None:
                found = pipeline.predict_sample_without_blocking(
                    sample, skip_input_padding=True, skip_output_cropping=True
                )
            else:
                shape = dict(zip(axes, (1, 1, *tile_px), strict=True))
                found = pipeline.predict_sample_with_fixed_blocking(sample, {"input": shape})
    gc.unfreeze()
    return found.members["output"].data.to_numpy()[0, 0]
