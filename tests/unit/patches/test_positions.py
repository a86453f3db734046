import numpy as np
import pytest

from crossres.patches import cut_patches, draw_positions


def spotted(shape, rng):
    return (rng.random(shape) < 0.02).astype(np.float32)


@pytest.mark.parametrize("size_px", [8, 9])
@pytest.mark.parametrize("shape", [(40, 40), (31, 57)])
def test_every_patch_has_the_foreground_asked(rng, shape, size_px):
    target = spotted(shape, rng)
    positions = draw_positions(target, (size_px, size_px), 200, 0.25, 0.03, rng)
    assert len(positions) > 0
    for y, x in positions:
        patch = target[y : y + size_px, x : x + size_px]
        assert patch.shape == (size_px, size_px)
        assert (patch > 0.25).mean() >= 0.03


@pytest.mark.parametrize("size_px", [6, 7])
def test_no_place_that_shows_enough_is_kept_out(rng, size_px):
    target = spotted((20, 23), rng)
    shows_enough = {
        (y, x)
        for y in range(20 - size_px + 1)
        for x in range(23 - size_px + 1)
        if (target[y : y + size_px, x : x + size_px] > 0.25).mean() >= 1 / size_px**2
    }
    drawn = draw_positions(target, (size_px, size_px), 4000, 0.25, 1 / size_px**2, rng)
    assert {(int(y), int(x)) for y, x in drawn} == shows_enough


@pytest.mark.parametrize("target", [np.zeros((30, 30)), np.full((30, 30), 0.25)])
def test_an_empty_field_gives_no_patch_and_ends(rng, target):
    assert draw_positions(target, (8, 8), 100, 0.25, 0.002, rng).shape == (0, 2)


def test_a_sparse_field_gives_fewer_patches(rng):
    target = np.zeros((400, 400))
    target[200, 200] = 1.0
    # of 393^2 places 64 hold the pixel: 0.8 of 2000 draws
    assert len(draw_positions(target, (8, 8), 100, 0.25, 0.001, rng)) < 20


def test_no_foreground_asked_accepts_everything(rng):
    assert len(draw_positions(np.zeros((30, 40)), (8, 8), 150, 0.25, 0.0, rng)) == 150


def test_positions_cover_the_field_evenly(rng):
    positions = draw_positions(np.ones((24, 40)), (8, 8), 20000, 0.25, 0.5, rng)
    for axis, places in ((0, 17), (1, 33)):
        share = np.bincount(positions[:, axis], minlength=places) / len(positions)
        np.testing.assert_allclose(share, 1 / places, atol=0.01)


def test_a_field_as_small_as_a_patch(rng):
    assert (draw_positions(np.ones((8, 8)), (8, 8), 5, 0.25, 0.5, rng) == np.zeros((5, 2))).all()


def test_the_same_seed_draws_the_same_positions(rng):
    target = spotted((40, 40), rng)
    first, again = (
        draw_positions(target, (8, 8), 50, 0.25, 0.01, np.random.default_rng(5)) for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_patches_are_what_slicing_gives(rng, dtype):
    image = (rng.random((20, 31)) * 200).astype(dtype)
    positions = np.array([[0, 0], [12, 23], [5, 7], [5, 7]])
    patches = cut_patches(image, positions, (8, 8))
    assert patches.shape == (4, 8, 8)
    for patch, (y, x) in zip(patches, positions, strict=True):
        np.testing.assert_array_equal(patch, image[y : y + 8, x : x + 8])


def test_no_positions_give_no_patches(rng):
    assert cut_patches(np.zeros((20, 20)), np.empty((0, 2), dtype=int), (8, 8)).shape == (0, 8, 8)


def test_patches_of_a_volume_lie_within_it_and_show_enough(rng):
    volume = spotted((9, 30, 35), rng)
    positions = draw_positions(volume, (4, 8, 8), 200, 0.25, 0.02, rng)
    patches = cut_patches(volume, positions, (4, 8, 8))
    assert patches.shape == (len(positions), 4, 8, 8)
    for patch, (z, y, x) in zip(patches, positions, strict=True):
        np.testing.assert_array_equal(patch, volume[z : z + 4, y : y + 8, x : x + 8])
        assert (patch > 0.25).mean() >= 0.02
    # with six places along z, all are drawn
    assert set(positions[:, 0]) == set(range(6))


def test_patches_of_all_slices_begin_at_the_first(rng):
    positions = draw_positions(np.ones((5, 30, 30)), (5, 8, 8), 50, 0.25, 0.5, rng)
    assert positions.shape == (50, 3)
    assert not positions[:, 0].any()


def test_no_place_of_a_volume_that_shows_enough_is_kept_out(rng):
    volume = spotted((5, 12, 11), rng)
    sides = (2, 6, 7)
    windows = np.lib.stride_tricks.sliding_window_view(volume > 0.25, sides)
    shows_enough = np.argwhere(windows.any(axis=(-3, -2, -1)))
    drawn = draw_positions(volume, sides, 4000, 0.25, 1 / np.prod(sides), rng)
    assert set(map(tuple, drawn)) == set(map(tuple, shows_enough))
