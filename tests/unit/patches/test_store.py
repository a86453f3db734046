from dataclasses import replace

import numpy as np
import pytest

from crossres.patches import Patches, load_patches, save_patches
from crossres.preprocess import Scale


@pytest.fixture
def patches(rng):
    return Patches(
        inputs=rng.normal(size=(3, 8, 8)).astype(np.float32),
        targets=rng.normal(size=(3, 8, 8)).astype(np.float32),
        scales={"input": Scale(12.25, 831.5), "target": Scale(0.1, 1 / 3)},
        pixel_size_nm=32.5,
    )


def test_everything_survives_exactly(tmp_path, patches):
    save_patches(tmp_path / "train.safetensors", patches)
    found = load_patches(tmp_path / "train.safetensors")
    np.testing.assert_array_equal(found.inputs, patches.inputs)
    np.testing.assert_array_equal(found.targets, patches.targets)
    assert found.scales == patches.scales
    assert found.pixel_size_nm == patches.pixel_size_nm


def test_views_and_float64_are_stored_as_contiguous_float32(tmp_path, rng):
    array = rng.normal(size=(8, 8, 5)).transpose(2, 0, 1)
    save_patches(tmp_path / "p", Patches(array, array[:, ::-1], dict.fromkeys(
        ("input", "target"), Scale(0.0, 1.0)), 30.0))  # fmt: skip
    found = load_patches(tmp_path / "p")
    assert found.inputs.dtype == np.float32
    np.testing.assert_array_equal(found.inputs, array.astype(np.float32))
    np.testing.assert_array_equal(found.targets, array[:, ::-1].astype(np.float32))


def test_the_same_patches_give_the_same_bytes_and_nothing_beside_them(tmp_path, patches):
    save_patches(tmp_path / "a", patches)
    save_patches(tmp_path / "b", replace(patches, scales=dict(reversed(patches.scales.items()))))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
