import numpy as np
import pytest
import torch

from crossres.training.batches import draw_batch


@pytest.fixture
def patches(rng):
    inputs = rng.random((20, 6, 6)).astype(np.float32)
    # the target tells its input: ten times as bright
    return inputs, 10 * inputs


def orientations(patch):
    """The eight ways to lay down a square, as a list."""
    turned = [np.rot90(patch, turns) for turns in range(4)]
    return turned + [np.fliplr(one) for one in turned]


@pytest.mark.parametrize("augment", [False, True])
def test_a_batch_is_a_function_of_seed_and_iteration_alone(patches, augment):
    first = draw_batch(*patches, 4, augment, 3, 1000)
    np.random.default_rng(3).random(50)
    torch.manual_seed(99)
    draw_batch(*patches, 4, augment, 3, 999)
    again = draw_batch(*patches, 4, augment, 3, 1000)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


def test_every_seed_and_iteration_draws_its_own_batch(patches):
    # (3, 1001) and (4, 1000) among them: no seed follows in another's steps
    batches = {
        draw_batch(*patches, 4, False, seed, iteration)[0].numpy().tobytes()
        for seed in range(3, 7)
        for iteration in range(1000, 1005)
    }
    assert len(batches) == 4 * 5


@pytest.mark.parametrize("size", [1, 7, 20])
def test_shape_and_dtype(patches, size):
    for part in draw_batch(*patches, size, False, 0, 0):
        assert part.shape == (size, 1, 6, 6)
        assert part.dtype == torch.float32


def test_patches_are_the_stored_ones_without_repetition(patches):
    x, _ = draw_batch(*patches, 20, False, 0, 5)
    drawn = sorted(tuple(patch.ravel()) for patch in x.numpy())
    assert drawn == sorted(tuple(patch.ravel()) for patch in patches[0])


def test_a_batch_larger_than_the_set_repeats(patches):
    x, _ = draw_batch(patches[0][:3], patches[1][:3], 12, False, 0, 0)
    assert len(x) == 12


@pytest.mark.parametrize("augment", [False, True])
def test_target_belongs_to_its_input(patches, augment):
    x, y = draw_batch(*patches, 15, augment, 1, 2)
    torch.testing.assert_close(y, 10 * x)


def test_augmented_patches_are_orientations_of_stored_ones(patches):
    x, _ = draw_batch(*patches, 20, True, 1, 2)
    allowed = {one.tobytes() for patch in patches[0] for one in orientations(patch)}
    assert {patch[0].tobytes() for patch in x.numpy()} <= allowed


def test_all_eight_orientations_are_drawn_alike(patches):
    single = patches[0][:1], patches[1][:1]
    x, _ = draw_batch(*single, 4000, True, 0, 0)
    counts = [
        sum(np.array_equal(patch[0], one) for patch in x.numpy())
        for one in orientations(patches[0][0])
    ]
    # 500 each, give or take 21
    assert sum(counts) == 4000
    assert min(counts) > 400


def test_the_stored_patches_are_left_as_they_were(patches):
    before = patches[0].copy()
    x, _ = draw_batch(*patches, 20, True, 0, 0)
    x += 1
    np.testing.assert_array_equal(patches[0], before)
