import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from crossres.patches import PatchSet, load_patches, patches_to_fill, save_patches
from crossres.preprocess import Scale
from crossres.training.batches import Sampling, draw_batch


@pytest.fixture
def patches(rng):
    return PatchSet(
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
    scales = dict.fromkeys(("input", "target"), Scale(0.0, 1.0))
    patches = PatchSet(inputs=array, targets=array[:, ::-1], scales=scales, pixel_size_nm=30.0)
    save_patches(tmp_path / "p", patches)
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
    done["z_step_nm"] = 150.0
    save_patches(tmp_path / "p", replace(patches, **done))
    found = load_patches(tmp_path / "p")
    assert {key: getattr(found, key) for key in done} == done
    save_patches(tmp_path / "p", patches)
    assert load_patches(tmp_path / "p").background is None


@pytest.mark.parametrize("own", [None, (2.0, 99.9)])
def test_percentiles_of_every_image_are_kept(tmp_path, patches, own):
    save_patches(tmp_path / "p", replace(patches, percentiles_per_image=own))
    assert load_patches(tmp_path / "p").percentiles_per_image == own


def test_the_file_is_one_that_safetensors_writes_and_reads(tmp_path, patches, fields):
    for name, images in (("patches", patches), ("fields", fields)):
        save_patches(tmp_path / name, images)
        with safe_open(tmp_path / name, framework="np") as file:
            metadata = file.metadata()
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        save_file(tensors, tmp_path / "theirs", metadata=metadata)
        assert (tmp_path / name).read_bytes() == (tmp_path / "theirs").read_bytes()


def test_the_order_in_which_pieces_are_written_changes_nothing(tmp_path, patches):
    save_patches(tmp_path / "whole", patches)
    shapes = {"input": patches.inputs.shape, "target": patches.targets.shape}
    with patches_to_fill(tmp_path / "pieces", shapes, patches.preparation) as append:
        append("target", patches.targets[:2])
        append("input", patches.inputs[:1])
        append("target", patches.targets[2:])
        append("input", patches.inputs[1:])
        assert not (tmp_path / "pieces").exists()
    assert (tmp_path / "pieces").read_bytes() == (tmp_path / "whole").read_bytes()


@pytest.mark.parametrize(("count", "word"), [(2, "less"), (4, "more")])
def test_a_tensor_that_is_not_filled_exactly_leaves_no_file(tmp_path, patches, count, word):
    def fill():
        with patches_to_fill(tmp_path / "p", {"input": (3, 8, 8)}, patches.preparation) as append:
            for _ in range(count):
                append("input", patches.inputs[:1])

    with pytest.raises(ValueError, match=word):
        fill()
    assert not (tmp_path / "p").exists()


def test_what_is_not_looked_at_is_not_read(tmp_path, patches):
    count = 20_000
    shape = (count, 16, 16)
    many = np.zeros((count // 20, 16, 16), np.float32)
    with patches_to_fill(
        tmp_path / "p", {"input": shape, "target": shape}, patches.preparation
    ) as append:
        for role in ("input", "target") * 20:
            append(role, many)
    tracemalloc.start()
    found = load_patches(tmp_path / "p")
    assert not found.targets[count - 1].any()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # of 41 MB
    assert peak < 1e5
    assert not found.inputs.flags.writeable


def test_batches_are_drawn_from_a_map_as_from_memory(tmp_path, patches):
    sampling = Sampling(batch=2, augment=True, seed=0)
    save_patches(tmp_path / "p", patches)
    found = load_patches(tmp_path / "p")
    for iteration in range(3):
        mapped = draw_batch(found.inputs, found.targets, sampling, iteration)
        held = draw_batch(patches.inputs, patches.targets, sampling, iteration)
        for one, other in zip(mapped, held, strict=True):
            assert one.equal(other)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="files are counted by Linux")
def test_many_fields_hold_one_file_open(tmp_path, fields):
    many = [np.zeros((4, 4), np.float32)] * 1500
    save_patches(tmp_path / "p", replace(fields, inputs=many, targets=many))
    before = len(list(Path("/proc/self/fd").iterdir()))
    found = load_patches(tmp_path / "p")
    assert len(found.inputs) == 1500
    assert len(list(Path("/proc/self/fd").iterdir())) - before <= 1
