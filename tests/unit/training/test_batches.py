from dataclasses import replace

import numpy as np
import pytest
import torch

from crossres.training import ProcessGroup
from crossres.training.batches import Sampling, draw_batch, in_best_order

SAMPLING = Sampling(batch=4, augment=False, seed=3)
EITHER = pytest.mark.parametrize("augment", [False, True])


@pytest.fixture
def patches(rng):
    inputs = rng.random((20, 6, 6)).astype(np.float32)
    # the target tells its input: ten times as bright
    return inputs, 10 * inputs


@pytest.fixture
def volumes(rng):
    inputs = rng.random((20, 3, 6, 6)).astype(np.float32)
    return inputs, 10 * inputs


def draw(patches, iteration=0, group=None, **changes):
    return draw_batch(*patches, replace(SAMPLING, **changes), iteration, group)


def orientations(patch):
    """The eight ways to lay down a square, each slice of a volume alike."""
    turned = [np.rot90(patch, turns, (-2, -1)) for turns in range(4)]
    return turned + [one[..., ::-1] for one in turned]


@EITHER
def test_a_batch_is_a_function_of_seed_and_iteration_alone(patches, augment):
    first = draw(patches, 1000, augment=augment)
    np.random.default_rng(3).random(50)
    torch.manual_seed(99)
    draw(patches, 999, augment=augment)
    again = draw(patches, 1000, augment=augment)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


def test_every_seed_and_iteration_draws_its_own_batch(patches):
    # (3, 1001) and (4, 1000) among them: no seed follows in another's steps
    batches = {
        draw(patches, iteration, seed=seed)[0].numpy().tobytes()
        for seed in range(3, 7)
        for iteration in range(1000, 1005)
    }
    assert len(batches) == 4 * 5


@pytest.mark.parametrize("size", [1, 7, 20])
def test_shape_and_dtype(patches, size):
    for part in draw(patches, batch=size):
        assert part.shape == (size, 1, 6, 6)
        assert part.dtype == torch.float32


def test_patches_are_the_stored_ones_without_repetition(patches):
    x, _ = draw(patches, 5, batch=20)
    drawn = sorted(tuple(patch.ravel()) for patch in x.numpy())
    assert drawn == sorted(tuple(patch.ravel()) for patch in patches[0])


def test_a_batch_larger_than_the_set_repeats(patches):
    x, _ = draw((patches[0][:3], patches[1][:3]), batch=12)
    assert len(x) == 12


@EITHER
def test_target_belongs_to_its_input(patches, augment):
    x, y = draw(patches, 2, batch=15, augment=augment)
    torch.testing.assert_close(y, 10 * x)


@pytest.mark.parametrize("kind", ["patches", "volumes"])
def test_augmented_patches_are_orientations_of_stored_ones(kind, request):
    stored = request.getfixturevalue(kind)
    x, _ = draw(stored, 2, batch=20, augment=True)
    allowed = {one.tobytes() for patch in stored[0] for one in orientations(patch)}
    assert {patch[0].tobytes() for patch in x.numpy()} <= allowed


def test_all_eight_orientations_are_drawn_alike(patches):
    x, _ = draw((patches[0][:1], patches[1][:1]), batch=4000, augment=True)
    counts = [
        sum(np.array_equal(patch[0], one) for patch in x.numpy())
        for one in orientations(patches[0][0])
    ]
    # 500 each, give or take 21
    assert sum(counts) == 4000
    assert min(counts) > 400


def test_the_stored_patches_are_left_as_they_were(patches):
    before = patches[0].copy()
    x, _ = draw(patches, batch=20, augment=True)
    x += 1
    np.testing.assert_array_equal(patches[0], before)


class OnDisk:
    """Patches in a file: single ones can be read, all at once would not fit into the memory."""

    def __init__(self, patches):
        self.patches = patches

    def __len__(self):
        return len(self.patches)

    def __getitem__(self, number):
        assert np.ndim(number) == 0
        return self.patches[int(number)]

    def __array__(self, *_, **__):
        raise MemoryError("all patches at once")


@EITHER
@pytest.mark.parametrize("crop_px", [None, 4])
def test_only_the_patches_of_the_batch_are_read(volumes, augment, crop_px):
    found = draw([OnDisk(images) for images in volumes], 3, augment=augment, crop_px=crop_px)
    expected = draw(volumes, 3, augment=augment, crop_px=crop_px)
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_read_only_memory_maps_give_the_batches_of_arrays(volumes, tmp_path):
    mapped = []
    for name, images in zip("xy", volumes, strict=True):
        np.save(tmp_path / f"{name}.npy", images)
        mapped.append(np.load(tmp_path / f"{name}.npy", mmap_mode="r"))
    for augment in (False, True):
        pairs = zip(draw(mapped, augment=augment), draw(volumes, augment=augment), strict=True)
        for found, expected in pairs:
            assert torch.equal(found, expected)
            found += 1  # it is the batch's own


@EITHER
def test_volumes_keep_their_slices_in_order(volumes, augment):
    x, y = draw(volumes, batch=20, augment=augment)
    assert x.shape == (20, 1, 3, 6, 6)
    torch.testing.assert_close(y, 10 * x)


@EITHER
@pytest.mark.parametrize("processes", [2, 3])
def test_the_parts_of_a_group_are_together_the_whole_batch(patches, augment, processes):
    whole = draw(patches, 7, batch=12, augment=augment, crop_px=4)
    parts = [
        draw(patches, 7, ProcessGroup(rank, processes), batch=12, augment=augment, crop_px=4)
        for rank in range(processes)
    ]
    assert {len(x) for x, _ in parts} == {12 // processes}
    for place in (0, 1):
        drawn = sorted(p.numpy().tobytes() for part in parts for p in part[place])
        assert drawn == sorted(p.numpy().tobytes() for p in whole[place])


@pytest.mark.parametrize(
    ("shape", "order"),
    [((2, 3, 4, 5), torch.channels_last), ((2, 3, 4, 5, 6), torch.channels_last_3d)],
)
def test_the_best_order_puts_channels_last_in_memory_and_changes_no_value(shape, order):
    images = torch.rand(shape)
    found = in_best_order(images)
    assert found.is_contiguous(memory_format=order)
    assert torch.equal(found, images)
