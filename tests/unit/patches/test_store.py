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


def test_volumes_survive_exactly(tmp_path, patches, rng):
    volumes = rng.normal(size=(3, 4, 8, 8)).astype(np.float32)
    save_patches(tmp_path / "p", replace(patches, inputs=volumes, targets=-volumes))
    found = load_patches(tmp_path / "p")
    np.testing.assert_array_equal(found.inputs, volumes)
    np.testing.assert_array_equal(found.targets, -volumes)


@pytest.fixture
def fields(patches, rng):
    """Whole fields, no two of one size; more than ten, so that 10 could come before 2."""
    inputs = [rng.normal(size=(8 + n, 9)).astype(np.float32) for n in range(12)]
    return replace(patches, inputs=inputs, targets=[-field for field in inputs])


def test_whole_fields_of_any_sizes_survive_in_their_order(tmp_path, fields):
    save_patches(tmp_path / "validation.safetensors", fields)
    found = load_patches(tmp_path / "validation.safetensors")
    assert isinstance(found.inputs, list)
    assert len(found.inputs) == len(found.targets) == 12
    for role in ("inputs", "targets"):
        for field, wanted in zip(getattr(found, role), getattr(fields, role), strict=True):
            np.testing.assert_array_equal(field, wanted)
    assert found.scales == fields.scales


def test_a_single_field_is_still_a_list_of_fields(tmp_path, fields):
    one = replace(fields, inputs=fields.inputs[:1], targets=fields.targets[:1])
    save_patches(tmp_path / "p", one)
    assert [field.shape for field in load_patches(tmp_path / "p").inputs] == [(8, 9)]


def test_the_same_fields_give_the_same_bytes(tmp_path, fields):
    for name in "ab":
        save_patches(tmp_path / name, fields)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_what_was_done_to_the_raw_inputs_is_kept(tmp_path, patches):
    done = {"background": 99.5, "input_pixel_size_nm": 65.0, "interpolation_order": 3}
    save_patches(tmp_path / "p", replace(patches, **done))
    found = load_patches(tmp_path / "p")
    assert {key: getattr(found, key) for key in done} == done
    save_patches(tmp_path / "p", patches)
    assert load_patches(tmp_path / "p").background is None


@pytest.mark.parametrize("own", [None, (2.0, 99.9)])
def test_percentiles_of_every_image_are_kept(tmp_path, patches, own):
    save_patches(tmp_path / "p", replace(patches, percentiles_per_image=own))
    assert load_patches(tmp_path / "p").percentiles_per_image == own
