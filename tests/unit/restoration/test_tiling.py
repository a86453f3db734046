import logging
from itertools import pairwise

import numpy as np
import pytest
from networks_to_tile import SETTINGS, small_network
from torch import nn

from crossres.jobs import InputError
from crossres.restoration.footprint import Footprint, footprint_of
from crossres.restoration.tiling import fit_tiles, plan_tiling

CONVOLUTIONAL = Footprint((16, 16), (50, 50), None, 100)
ATTENTION = Footprint((32, 32), (20, 20), (64, 64), 100)


@pytest.mark.parametrize("footprint", [CONVOLUTIONAL, ATTENTION])
@pytest.mark.parametrize("length", [1, 31, 64, 65, 150, 517, 2048])
@pytest.mark.parametrize("side_px", [32, 64, 96, 1024])
def test_the_weights_of_all_tiles_sum_to_1_at_every_pixel(footprint, length, side_px):
    total = np.zeros(length)
    for span in plan_tiling(footprint).spans(0, length, side_px):
        total[span.given] += 1 if span.weights is None else span.weights
    np.testing.assert_allclose(total, 1, atol=1e-6)


@pytest.mark.parametrize("footprint", [CONVOLUTIONAL, ATTENTION])
@pytest.mark.parametrize("length", [31, 150, 517, 2048])
@pytest.mark.parametrize("side_px", [32, 96])
def test_tiles_begin_at_multiples_of_the_stride_and_see_as_far_as_they_must(
    footprint, length, side_px
):
    for span in plan_tiling(footprint).spans(0, length, side_px):
        assert span.seen.start % footprint.stride_px[0] == 0
        assert span.seen.stop % footprint.stride_px[0] == 0 or span.seen.stop == length
        reach = footprint.reach_px[0]
        assert span.seen.start <= max(0, span.given.start - reach)
        assert span.seen.stop >= min(length, span.given.stop + reach)
        assert (span.within.start, span.within.stop) == (
            span.given.start - span.seen.start,
            span.given.stop - span.seen.start,
        )


@pytest.mark.parametrize("length", [65, 100, 150, 517])
def test_attention_always_sees_more_than_its_field_where_there_is_more(length):
    for span in plan_tiling(ATTENTION).spans(0, length, 32):
        assert span.seen.stop - span.seen.start >= min(length, 64 + 32)


def test_convolutional_tiles_do_not_overlap():
    spans = plan_tiling(CONVOLUTIONAL).spans(0, 500, 160)
    assert [span.given for span in spans] == [
        slice(0, 160), slice(160, 320), slice(320, 480), slice(480, 500)
    ]  # fmt: skip


def test_neighbours_pass_into_each_other_linearly():
    first, second = plan_tiling(ATTENTION).spans(0, 128, 64)
    # an eighth of the field to either side of the border between them
    assert (first.given, second.given) == (slice(0, 72), slice(56, 128))
    np.testing.assert_allclose(first.weights[56:], 1 - (np.arange(16) + 0.5) / 16)
    np.testing.assert_allclose(second.weights[:16], (np.arange(16) + 0.5) / 16)


@pytest.mark.parametrize("memory_gb", [0.02, 0.1, 1, 4, 50])
@pytest.mark.parametrize("shape", [(3072, 3072), (700, 20000)])
def test_the_largest_tile_fits_into_the_memory(shape, memory_gb):
    tiling = plan_tiling(CONVOLUTIONAL)
    sides = tiling.fitting(shape, memory_gb)
    seen = [
        np.prod([span.seen.stop - span.seen.start for span in tile.spans])
        for tile in tiling.tiles(shape, sides)
    ]
    # 100 maps of the network, of 4 bytes a pixel, are the least that a tile takes
    assert 4 * 100 * max(seen) <= memory_gb * 1e9


def test_an_image_that_fits_is_one_tile():
    assert len(plan_tiling(CONVOLUTIONAL).tiles((900, 500), (912, 512))) == 1
    sides = plan_tiling(CONVOLUTIONAL).fitting((900, 500), 4)
    assert len(plan_tiling(CONVOLUTIONAL).tiles((900, 500), sides)) == 1


def test_more_memory_is_never_more_work():
    tiling, shape = plan_tiling(CONVOLUTIONAL), (5000, 4000)

    def work(memory_gb):
        tiles = tiling.tiles(shape, tiling.fitting(shape, memory_gb))
        return sum(np.prod([s.seen.stop - s.seen.start for s in t.spans]) for t in tiles)

    found = [work(memory_gb) for memory_gb in (0.05, 0.2, 1, 4, 20)]
    assert all(more >= less for more, less in pairwise(found))
    assert found[-1] == 5000 * 4000


def test_z_is_cut_last():
    footprint = Footprint((1, 1, 1), (37, 37, 37), None, 256)
    shape = (64, 2048, 2048)
    sides = plan_tiling(footprint).fitting(shape, 4)
    assert sides[0] == 64
    assert max(sides[1:]) < 1024


def test_a_long_stack_is_cut_along_z_as_well():
    footprint = Footprint((1, 1, 1), (5, 5, 5), None, 100)
    assert plan_tiling(footprint).fitting((5000, 100, 100), 0.2)[0] < 5000


def test_a_memory_too_small_for_any_tile_is_refused():
    # at least a stride and a reach in y and x: 66 x 66 px of 106 maps of 4 bytes
    with pytest.raises(InputError, match=r"0.001 GB for a tile; .* needs 0.00\d+ GB"):
        plan_tiling(CONVOLUTIONAL).fitting((3000, 3000), 0.001)


def test_a_forced_tile_is_evened_out():
    tiling = plan_tiling(CONVOLUTIONAL)
    # two of 160 instead of one of 256 and one of 64
    assert tiling.forced((320, 320), 256) == (160, 160)
    assert tiling.forced((320, 320), (320, 100)) == (320, 80)


def test_a_number_of_pixels_leaves_z_whole():
    tiling = plan_tiling(Footprint((1, 4, 4), (3, 9, 9), None, 10))
    assert tiling.forced((50, 640, 640), 64) == (50, 64, 64)


def test_a_tile_of_other_dimensions_is_refused():
    with pytest.raises(InputError, match=r"tile_px is \[64, 64\]; the image has 3 axes"):
        plan_tiling(Footprint((1, 1, 1), (3, 3, 3), None, 10)).forced((9, 99, 99), (64, 64))


def test_tiles_are_halved_in_y_and_x_then_in_z_then_not_at_all():
    tiling = plan_tiling(Footprint((4, 16, 16), (3, 9, 9), None, 10))
    sides, found = (10, 100, 40), []
    while sides is not None:
        found.append(sides)
        sides = tiling.halved(sides)
    assert found == [
        (10, 100, 40), (10, 48, 16), (10, 16, 16), (4, 16, 16)
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "dims"), SETTINGS)
def test_every_network_says_what_tiling_must_know(name, dims):
    found = footprint_of(small_network(name, dims), dims)
    assert len(found.stride_px) == len(found.reach_px) == dims
    assert found.live_channels > 0
    assert (found.pooling_px is not None) == ("pooling_px" in SETTINGS[name, dims])


def test_a_network_that_says_nothing_is_treated_with_caution():
    found = footprint_of(nn.Sequential(nn.Conv2d(1, 24, 3), nn.Conv2d(24, 1, 3)), 2)
    assert found.stride_px >= (16, 16)
    assert found.reach_px >= (64, 64)
    assert found.live_channels >= 24 + 1


VOLUME = Footprint((8, 128, 128), (6, 6, 6), (16, 256, 256), 64)


@pytest.mark.parametrize(
    ("shape", "memory_gb", "pooling_px"),
    [
        # one tile, whatever its field
        ((16, 500, 500), 4, (16, 256, 256)),
        # many tiles of 384 px for 128 px each, or of 384 px for 256 px each
        ((64, 2048, 2048), 3.4, (16, 128, 128)),
        # no tile of a field and half of it
        ((64, 500, 500), 2, (16, 128, 128)),
    ],
)
def test_attention_is_given_the_pooling_that_the_memory_is_worth(
    shape, memory_gb, pooling_px, caplog
):
    with caplog.at_level(logging.INFO, logger="crossres"):
        tiling, sides = fit_tiles(shape, VOLUME, memory_gb)
    assert tiling.footprint.pooling_px == pooling_px
    assert tiling.footprint.stride_px == (8, pooling_px[1] // 2, pooling_px[2] // 2)
    assert (f"attends to {pooling_px[0]} x {pooling_px[1]}" in caplog.text) == (pooling_px[1] < 256)
    largest = max(
        np.prod([span.seen.stop - span.seen.start for span in tile.spans])
        for tile in tiling.tiles(shape, sides)
    )
    assert 4 * 64 * largest <= memory_gb * 1e9


def test_a_field_is_not_halved_where_poolings_would_no_longer_fall_alike():
    # half of 32 is a multiple of all strides up to 16; half of 16 is not
    field = ATTENTION
    while field.with_smaller_pooling() is not None:
        field = field.with_smaller_pooling()
    assert (field.stride_px, field.pooling_px) == ((16, 16), (32, 32))
    assert CONVOLUTIONAL.with_smaller_pooling() is None


def test_memory_for_no_field_at_all_is_refused():
    with pytest.raises(InputError, match="allow more memory"):
        fit_tiles((64, 2048, 2048), VOLUME, 0.01)
