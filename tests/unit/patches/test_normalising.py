import numpy as np
import pandas as pd
import pytest

from crossres.images import Image, write_image
from crossres.networks import ModelFile
from crossres.patches import load_patches
from crossres.preprocess import Scale
from extract_patches import extract_patches

SETTINGS = {"size_px": 16, "per_field": 4, "validation_per_field": 4, "foreground_level": 0.0,
            "foreground_fraction": 0.0, "percentiles": [2, 99.9], "seed": 0}  # fmt: skip


def field(brightness, seed):
    """A pair of one structure, the target three times as bright, over an offset."""
    structure = np.random.default_rng(seed).uniform(0, brightness, (48, 48))
    return np.stack([100 + structure, 50 + 3 * structure]).astype(np.float32)


@pytest.fixture
def patches(tmp_path):
    """Return a function from ``patches.normalise`` to the training patches of a dim and a bright
    field."""

    def extract(normalise):
        names = {"train": ["dim", "bright"], "validation": ["dim2"]}
        for number, (name, brightness) in enumerate((("dim", 10), ("bright", 1000), ("dim2", 10))):
            image = Image(field(brightness, number), "CYX", 25.0, channels=("input", "target"))
            write_image(tmp_path / f"{name}.ome.tif", image)
        table = tmp_path / "registration.csv"
        rows = {"field": ["dim", "bright", "dim2"], "accepted": True, "reason": ""}
        pd.DataFrame(rows).to_csv(table, index=False)
        outputs = {name: tmp_path / f"{name}.out" for name in ("train", "validation", "positions")}
        paths = {s: [tmp_path / f"{n}.ome.tif" for n in listed] for s, listed in names.items()}
        extract_patches(paths, [table], {**SETTINGS, "normalise": normalise}, outputs)
        return load_patches(outputs["train"])

    return extract


def test_one_scale_keeps_the_brightness_of_one_field_against_another(patches):
    found = patches("percentiles")
    assert found.percentiles_per_image is None
    dim, bright = found.inputs[:4], found.inputs[4:]
    assert dim.max() < 0.05 * bright.max()


def test_scaled_by_itself_every_image_spans_the_same_range(patches):
    found = patches("percentiles_per_image")
    assert found.percentiles_per_image == (2, 99.9)
    for images in (found.inputs[:4], found.inputs[4:], found.targets[:4], found.targets[4:]):
        assert -0.1 < images.min() < 0.1
        assert 0.9 < images.max() < 1.1


def test_the_full_range_runs_from_the_least_to_the_greatest_training_pixel(patches):
    scale = patches("full_range").scales["target"]
    pixels = np.concatenate([field(10, 0)[1].ravel(), field(1000, 1)[1].ravel()])
    assert scale.offset == pytest.approx(pixels.min(), rel=1e-6)
    assert scale.span == pytest.approx(np.ptp(pixels), rel=1e-6)


def test_a_model_of_images_scaled_by_themselves_gives_back_the_counts_of_its_input():
    about = ModelFile("cnn", {}, 2, Scale(0, 1), Scale(0, 9), 25.0, (0.0, 100.0))
    before, after = about.scales_of(np.array([[20.0, 60.0]]))
    np.testing.assert_allclose(before.apply(np.array([20.0, 60.0])), [0, 1])
    np.testing.assert_allclose(after.invert(np.array([0.0, 1.0])), [20, 60])
