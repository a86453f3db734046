import pytest

from crossres.export.tile_sizes import TileAxis, tile_axes
from crossres.networks import ImageNetwork, build


def network(stride_px, reach_px, pooling_px=None):
    return ImageNetwork(stride_px, reach_px, 1, pooling_px)


def test_the_halo_is_the_reach_up_to_the_next_stride():
    # 21 pixels are 6 strides of 4, and 64 useful pixels 16 of them
    expected = [TileAxis(name, 2 * 24 + 64, 4, 24, 256) for name in "yx"]
    assert tile_axes(network((4, 4), (21, 21)), (1024, 1024)) == expected


def test_attention_adds_half_a_field_to_the_halo():
    # windows begin at multiples of 16, half the field: 6 + 16 pixels are two of these steps
    (y, x) = tile_axes(network((1, 1), (6, 6), (32, 32)), (512, 512))
    assert (y.step_px, y.halo_px, y.min_px) == (16, 32, 2 * 32 + 64)
    assert (x.step_px, x.halo_px, x.min_px) == (16, 32, 2 * 32 + 64)


def test_an_odd_field_counts_in_full():
    (y, _) = tile_axes(network((1, 1), (6, 6), (33, 33)), (512, 512))
    assert y.halo_px == 32
    (y, _) = tile_axes(network((1, 1), (16, 16), (33, 33)), (512, 512))
    assert y.halo_px == 48


def test_axes_may_differ():
    y, x = tile_axes(network((2, 8), (3, 30)), (100, 400))
    assert (y.halo_px, x.halo_px) == (4, 32)
    assert (y.min_px, x.min_px) == (72, 128)
    assert (y.test_px, x.test_px) == (100, 256)


@pytest.mark.parametrize(("side", "test_px"), [(50, 72), (72, 72), (73, 72), (99, 98), (999, 256)])
def test_the_test_image_is_as_large_as_the_sample_allows(side, test_px):
    (y, _) = tile_axes(network((2, 2), (3, 3)), (side, side))
    assert y.min_px == 72
    assert y.test_px == test_px
    assert (y.test_px - y.min_px) % y.step_px == 0


def test_a_network_that_sees_far_is_tested_on_a_larger_image():
    (y, _) = tile_axes(network((16, 16), (152, 152)), (1024, 1024))
    assert (y.halo_px, y.min_px, y.test_px) == (160, 384, 384)


@pytest.mark.parametrize(
    ("stride", "slices", "expected"),
    [(1, 12, 12), (4, 12, 12), (4, 15, 12), (8, 6, 8), (1, 64, 16)],
)
def test_along_z_a_tile_takes_the_depth_that_was_trained(stride, slices, expected):
    z, y, _ = tile_axes(network((stride, 1, 1), (38, 38, 38)), (slices, 200, 200))
    assert (z.name, z.halo_px) == ("z", 0)
    assert (z.min_px, z.step_px, z.test_px) == (expected, stride, expected)
    assert y.halo_px == 38


def test_the_gan_of_wang_is_tiled_at_its_poolings():
    axes = tile_axes(build("gan", width=2), (512, 512))
    assert [axis.name for axis in axes] == ["y", "x"]
    assert {axis.step_px for axis in axes} == {16}
    assert all(axis.halo_px % 16 == 0 for axis in axes)
