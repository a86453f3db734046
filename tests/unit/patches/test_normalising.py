from functools import partial

import numpy as np
import pytest
from extracted import pair, settings, write_fields

from crossres.networks import ModelFile
from crossres.patches import load_patches
from crossres.preprocess import PixelQuantiles, Scale
from extract_patches import extract_patches

PAIRS = {"train": {"dim": pair(10, 0), "bright": pair(1000, 1)},
         "validation": {"dim2": pair(10, 2)}}  # fmt: skip


@pytest.fixture
def extract(tmp_path):
    """Return a function from ``patches.normalise`` to the patches of a dim and a bright field, and
    the validation field."""

    def extracted(normalise):
        job = write_fields(tmp_path, PAIRS)
        extract_patches(**job, settings=settings(normalise=normalise))
        return [load_patches(job["outputs"][split]) for split in ("train", "validation")]

    return extracted


def test_one_scale_keeps_the_brightness_of_one_field_against_another(extract):
    found, _ = extract("percentiles")
    assert found.percentiles_per_image is None
    dim, bright = found.inputs[:4], found.inputs[4:]
    assert dim.max() < 0.05 * bright.max()


def test_validation_fields_are_scaled_as_the_training_fields_are(extract):
    train, validation = extract("percentiles")
    assert validation.scales == train.scales
    for place, role in enumerate(("input", "target")):
        images = PAIRS["train"].values()
        pixels = np.concatenate([image[place].ravel() for image in images])
        low, high = np.percentile(pixels, [2, 99.9])
        expected = (PAIRS["validation"]["dim2"][place] - low) / (high - low)
        found = (validation.inputs, validation.targets)[place][0]
        np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=role)


def test_scaled_by_itself_every_image_spans_the_same_range(extract):
    train, validation = extract("percentiles_per_image")
    assert train.percentiles_per_image == validation.percentiles_per_image == (2, 99.9)
    halves = [images for stack in (train.inputs, train.targets) for images in np.split(stack, 2)]
    for images in [*halves, *validation.inputs, *validation.targets]:
        assert -0.1 < images.min() < 0.1
        assert 0.9 < images.max() < 1.1


@pytest.mark.parametrize("exact_px", [2**25, 10])
def test_the_full_range_runs_from_the_least_to_the_greatest_training_pixel(
    extract, exact_px, monkeypatch
):
    # exactly, also where percentiles are estimated
    streamed = partial(PixelQuantiles, exact_px=exact_px)
    monkeypatch.setattr("crossres.patches.cutting.PixelQuantiles", streamed)
    scale = extract("full_range")[0].scales["target"]
    pixels = np.concatenate([image[1].ravel() for image in PAIRS["train"].values()])
    assert scale.offset == pytest.approx(pixels.min(), rel=1e-6)
    assert scale.span == pytest.approx(np.ptp(pixels), rel=1e-6)


def test_a_model_of_images_scaled_by_themselves_gives_back_the_counts_of_its_input():
    about = ModelFile("cnn", {}, 2, Scale(0, 1), Scale(0, 9), 25.0, (0.0, 100.0))
    before, after = about.scales_of(np.array([[20.0, 60.0]]))
    np.testing.assert_allclose(before.apply(np.array([20.0, 60.0])), [0, 1])
    np.testing.assert_allclose(after.invert(np.array([0.0, 1.0])), [20, 60])
