import numpy as np
import pytest

from crossres.jobs import InputError
from crossres.stitching import assemble_mosaic, locate_tiles, tile_of_pixel

pytestmark = pytest.mark.slow

SIDE = 192


class Scene:
    """Spots of known place, brightness and width: exact at every fraction of a pixel."""

    def __init__(self, side, seed=0, spots_per_px=0.004):
        rng = np.random.default_rng(seed)
        count = int(side**2 * spots_per_px)
        self.places = rng.uniform(0, side, (count, 2))
        self.heights = rng.uniform(50, 400, count)
        self.sigmas = rng.uniform(1.8, 3.0, count)

    def seen_from(self, corner, shape=(SIDE, SIDE)):
        """What a camera sees whose top-left pixel has its centre at a corner (y, x)."""
        profiles = []
        for axis in (0, 1):
            distance = np.arange(shape[axis])[:, None] + corner[axis] - self.places[:, axis]
            profiles.append(np.exp(-(distance**2) / (2 * self.sigmas**2)))
        return (profiles[0] * self.heights) @ profiles[1].T


def scanned(grid, overlap, seed=0, stage_sd_px=3.0, blank=(), gain=0.5, shape=(SIDE, SIDE)):
    """Tiles of a scan in zigzag order, with noise, and where their corners truly were."""
    rng = np.random.default_rng(seed)
    scene = Scene(int(max(grid) * max(shape) + 60), seed)
    tiles, corners = {}, {}
    for row in range(grid[0]):
        columns = range(grid[1]) if row % 2 == 0 else reversed(range(grid[1]))
        for column in columns:
            regular = 30 + np.array([row, column]) * np.array(shape) * (1 - overlap)
            corner = regular + rng.normal(0, stage_sd_px, 2)
            seen = scene.seen_from(corner, shape)
            if (row, column) in blank:
                seen = np.zeros(shape)
            tiles[row, column] = rng.poisson(gain * (seen + 60)).astype(np.uint16)
            corners[row, column] = corner
    return tiles, corners


def errors_px(found, corners, without=()):
    """Distances of found from true positions, after taking out what moves all alike."""
    compared = [tile for tile in corners if tile not in without]
    away = np.array([np.subtract(found.positions_px[t], corners[t]) for t in compared])
    return np.linalg.norm(away - away.mean(axis=0), axis=1)


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


@pytest.mark.parametrize("given", [True, False], ids=["nominal overlap", "unknown overlap"])
@pytest.mark.parametrize("overlap", [0.2, 0.1])
def test_tiles_are_found_to_a_tenth_of_a_pixel(overlap, given):
    tiles, corners = scanned((2, 3 if given else 2), overlap, seed=1)
    found = locate_tiles(tiles, overlap if given else None)
    assert rms(errors_px(found, corners)) < 0.1
    np.testing.assert_allclose(found.overlap, overlap, atol=0.03)
    assert found.placed_by_grid == ()
    assert all(edge.accepted for edge in found.edges)


def test_the_second_of_a_pair_lies_where_its_stage_was():
    scene = Scene(400)
    corners = {(0, 0): (20.0, 15.0), (0, 1): (16.75, 173.5), (1, 0): (170.25, 21.0)}
    tiles = {tile: scene.seen_from(corner) for tile, corner in corners.items()}
    found = locate_tiles(tiles, 0.2)
    # least of each axis 0: y of the tile to the right, x of the first
    expected = {(0, 0): (3.25, 0.0), (0, 1): (0.0, 158.5), (1, 0): (153.5, 6.0)}
    for tile, position in expected.items():
        np.testing.assert_allclose(found.positions_px[tile], position, atol=0.03)
    across = next(edge for edge in found.edges if edge.tiles == ((0, 0), (0, 1)))
    np.testing.assert_allclose(across.offset_px, (-3.25, 158.5), atol=0.03)
    assert across.residual_px < 0.03


def test_the_order_of_a_zigzag_scan_does_not_matter():
    tiles, _ = scanned((2, 2), 0.2, seed=2)
    assert list(tiles) == [(0, 0), (0, 1), (1, 1), (1, 0)]
    assert locate_tiles(tiles, 0.2) == locate_tiles(dict(sorted(tiles.items())), 0.2)


@pytest.mark.parametrize("grid", [(1, 3), (3, 1)])
def test_one_row_or_one_column(grid):
    tiles, corners = scanned(grid, 0.15, seed=3)
    found = locate_tiles(tiles, None)
    assert rms(errors_px(found, corners)) < 0.1
    assert np.isnan(found.overlap).tolist() == [n == 1 for n in grid]


def test_tiles_that_are_not_square():
    tiles, corners = scanned((2, 2), 0.2, seed=4, shape=(150, 230))
    found = locate_tiles(tiles, None)
    assert rms(errors_px(found, corners)) < 0.1


def test_a_nominal_overlap_that_is_somewhat_wrong():
    tiles, corners = scanned((2, 2), 0.17, seed=5)
    assert rms(errors_px(locate_tiles(tiles, 0.12), corners)) < 0.1


def test_gain_and_uneven_light_of_the_camera():
    tiles, corners = scanned((2, 2), 0.2, seed=6, gain=4.0)
    centred = np.linspace(-1, 1, SIDE)
    light = 1 - 0.15 * (centred[:, None] ** 2 + centred**2)
    lit = {tile: (image * light).astype(np.float32) for tile, image in tiles.items()}
    lit[0, 1] = lit[0, 1] * 0.7 + 40
    assert rms(errors_px(locate_tiles(lit, 0.2), corners)) < 0.1


@pytest.mark.parametrize("constant", [False, True], ids=["noise", "zeros"])
def test_a_blank_tile_stands_where_the_grid_puts_it(constant):
    blank = (0, 1)
    tiles, corners = scanned((2, 3), 0.15, seed=7, blank=[blank])
    if constant:
        tiles[blank] = np.zeros_like(tiles[blank])
    found = locate_tiles(tiles, 0.15)
    assert found.placed_by_grid == (blank,)
    assert rms(errors_px(found, corners, without=[blank])) < 0.1
    # within what the stage errs, and what its errors do to the grid that is fitted
    assert errors_px(found, corners).max() < 12
    assert {edge.accepted for edge in found.edges if blank in edge.tiles} == {False}


def test_a_blank_column_does_not_part_the_mosaic():
    blank = [(0, 1), (1, 1)]
    tiles, corners = scanned((2, 3), 0.15, seed=8, blank=blank)
    found = locate_tiles(tiles, 0.15)
    # the two columns beside it are equally large; one is the mosaic, the other follows the grid
    assert set(found.placed_by_grid) in ({*blank, (0, 0), (1, 0)}, {*blank, (0, 2), (1, 2)})
    for column in (0, 2):
        pair = {t: corners[t] for t in corners if t[1] == column}
        assert errors_px(found, pair).max() < 0.1
    assert errors_px(found, corners, without=blank).max() < 12


def test_a_missing_place_of_the_grid():
    tiles, corners = scanned((2, 3), 0.15, seed=9)
    del tiles[0, 1], corners[0, 1]
    found = locate_tiles(tiles, 0.15)
    assert set(found.positions_px) == set(tiles)
    assert rms(errors_px(found, corners)) < 0.1


def test_a_pair_that_contradicts_all_others_is_left_out():
    tiles, corners = scanned((3, 3), 0.2, seed=10, stage_sd_px=1.0)
    # a reflection, say: the strip left in (1, 2) shows what lies right in (1, 1), 9 px lower
    width = int(0.15 * SIDE)
    across = corners[1, 2] - corners[1, 1]
    start = round(float(across[1]))
    tiles[1, 2] = tiles[1, 2].copy()
    tiles[1, 2][20:-20, :width] = tiles[1, 1][11:-29, start : start + width]
    found = locate_tiles(tiles, 0.2)
    wrong = next(edge for edge in found.edges if edge.tiles == ((1, 1), (1, 2)))
    assert not wrong.accepted
    assert wrong.residual_px > 5
    assert rms(errors_px(found, corners)) < 0.1


@pytest.mark.parametrize("overlap", [0.2, None])
def test_tiles_of_different_places_are_refused(overlap):
    tiles = {}
    for number in range(4):
        tiles[divmod(number, 2)] = Scene(SIDE, seed=100 + number).seen_from((0, 0))
    with pytest.raises(InputError, match="No two neighbouring tiles show the same place") as told:
        locate_tiles(tiles, overlap)
    assert ("20%" in str(told.value)) == (overlap is not None)


@pytest.mark.parametrize(
    ("tiles", "overlap", "match"),
    [
        ({}, 0.1, "no tiles"),
        ({(0, 0): np.ones((8, 8)), (0, 1): np.ones((8, 9))}, 0.1, "8 x 9 px"),
        ({(0, 0): np.ones((3, 8, 8))}, 0.1, r"shape \(3, 8, 8\)"),
        ({(0, 0): np.full((8, 8), np.nan)}, 0.1, "not finite"),
        ({(0, 0): np.ones((8, 8)), (0, 1): np.ones((8, 8))}, 10, "between 0 and 1"),
        ({(0, 0): np.ones((8, 8)), (1, 1): np.ones((8, 8))}, 0.1, "next to another"),
        ({(0, 0): np.ones((8, 8)), (0, 1): np.ones((8, 8))}, 0.1, "No two neighbouring"),
        ({(0, 0): np.ones((64, 64)), (0, 1): np.ones((64, 64))}, None, "No two neighbouring"),
    ],
)
def test_what_cannot_be_stitched_is_refused(tiles, overlap, match):
    with pytest.raises(InputError, match=match):
        locate_tiles(tiles, overlap)


def test_a_single_tile_needs_no_library():
    found = locate_tiles({(2, 5): np.ones((7, 9))}, None)
    assert found.positions_px == {(2, 5): (0.0, 0.0)}
    assert found.edges == ()


def test_an_overlap_without_content_is_none():
    # as of a tile written in part; warnings of the library would be errors here
    tiles, _ = scanned((1, 2), 0.2, seed=11)
    tiles[0, 1][:, : SIDE // 2] = 0
    with pytest.raises(InputError, match="No two neighbouring"):
        locate_tiles(tiles, 0.2)


def test_the_mosaic_is_the_scene():
    scene = Scene(500, seed=12)
    corners = {(0, 0): (9.3, 7.8), (0, 1): (7.45, 168.2), (1, 0): (150.6, 11.1), (1, 1): (148, 171)}
    tiles = {tile: scene.seen_from(corner) for tile, corner in corners.items()}
    least = np.min(list(corners.values()), axis=0)
    positions = {tile: tuple(np.subtract(corner, least)) for tile, corner in corners.items()}
    mosaic = assemble_mosaic(tiles, positions)
    assert mosaic.dtype == np.float32
    assert mosaic.shape == (143 + SIDE, 163 + SIDE)
    expected = scene.seen_from(least, mosaic.shape)
    # only the outermost pixels of the mosaic may repeat the tile's border
    inside = np.zeros(mosaic.shape, dtype=bool)
    for y, x in np.array(list(positions.values())):
        y, x = int(np.ceil(y)), int(np.ceil(x))
        inside[y + 2 : y + SIDE - 3, x + 2 : x + SIDE - 3] = True
    assert np.abs(mosaic - expected)[inside].max() < 0.005 * expected.max()


def test_one_tile_fades_into_the_next_around_the_middle_of_their_overlap():
    tiles = {(0, 0): np.full((60, 80), 100.0), (0, 1): np.full((60, 80), 200.0)}
    positions = {(0, 0): (0.0, 0.0), (0, 1): (0.0, 40.0)}
    row = assemble_mosaic(tiles, positions, feather_px=16)[30]
    assert row.shape == (120,)
    np.testing.assert_array_equal(row[:52], 100)
    np.testing.assert_array_equal(row[68:], 200)
    np.testing.assert_allclose(np.diff(row[52:68]), 100 / 16, rtol=1e-3)
    assert row[59:61].mean() == pytest.approx(150)
    hard = assemble_mosaic(tiles, positions, feather_px=0)[30]
    np.testing.assert_array_equal(hard, np.where(np.arange(120) < 60, 100, 200))


def test_a_feather_is_no_wider_than_the_overlap():
    tiles = {(0, 0): np.full((60, 80), 100.0), (0, 1): np.full((60, 80), 200.0)}
    row = assemble_mosaic(tiles, {(0, 0): (0.0, 0.0), (0, 1): (0.0, 72.0)}, feather_px=40)[30]
    np.testing.assert_array_equal(row[:72], 100)
    np.testing.assert_array_equal(row[80:], 200)
    assert np.all(np.diff(row[71:81]) > 0)
    assert np.diff(row).max() < 25


def test_each_pixel_knows_its_tile_and_what_no_tile_covers_is_zero():
    positions = {(0, 0): (0.0, 3.0), (0, 1): (0.0, 43.0), (1, 0): (50.0, 0.0)}
    index = tile_of_pixel(positions, (60, 80))
    mosaic = assemble_mosaic({tile: np.ones((60, 80)) for tile in positions}, positions)
    assert index.shape == mosaic.shape == (110, 123)
    np.testing.assert_array_equal(mosaic, (index >= 0).astype(np.float32))
    assert index[20, 30] == 0
    assert (index[20, 62], index[20, 63]) == (0, 1)
    assert (index[54, 20], index[55, 20]) == (0, 2)
    assert index[20, 0] == -1
    assert index[109, 122] == -1
