import json

import numpy as np
import pytest
from microscopes_with_cameras import changed
from scipy.ndimage import gaussian_filter, map_coordinates

from crossres.jobs import InputError
from crossres.samples import SAMPLES
from crossres.settings import Camera, Modalities, StageAcquisition, Widefield
from crossres.simulate import (
    Lookup,
    acquire,
    sample_position_nm,
    truth_from_dict,
    truth_to_dict,
)
from crossres.simulate.acquisition.stage import image_sample, lay_out, lay_tiles, sample_tiles

CAMERA = Camera(
    peak_photons=3000.0, background_photons=100.0, gain=2.0, offset=100.0, read_noise=6.0,
    bit_depth=16,
)  # fmt: skip
FIBRES = {"structure": "filaments", "fibre_count": 40, "width_nm": 250.0, "curvature": 0.03,
          "strands": 2, "alignment": 0.8, "haze": 0.2}  # fmt: skip
CELLS = SAMPLES["cells"](
    kind="cells", density_per_mm2=450.0, stains={"txred": FIBRES, "dapi": {"structure": "nuclei"}}
)
STAGE = StageAcquisition(
    kind="stage",
    scenes={"train": 1, "validation": 1, "test": 1},
    channels={
        "txred": {},
        "dapi": {"defocus_um": 0.8,
                 "filter_shift_px": {"input": [-0.6, 0.3], "target": [0.8, 1.1]}},
    },
    scan={
        "input": {"rows": 2, "columns": 2, "tile_px": 80, "overlap": 0.2, "distortion_px": 0.6,
                  "stage_error_px": 2.0},
        "target": {"rows": 2, "columns": 3, "tile_px": 70, "overlap": 0.1, "distortion_px": 0.6,
                   "stage_error_px": 3.0, "offset_nm": 3000.0},
    },
)  # fmt: skip
SEED = 11
MODALITIES = Modalities(
    **{
        role: Widefield(
            kind="widefield", na=na, refractive_index=1.0, pixel_size_nm=pixel_nm,
            wavelength_nm={"txred": 630.0, "dapi": 450.0}, camera=CAMERA,
        )
        for role, na, pixel_nm in (("input", 0.4, 650.0), ("target", 0.75, 325.0))
    }
)  # fmt: skip


def stage_with(**scan):
    """The acquisition above, with ``scan`` in both scans."""
    scans = {role: changed(getattr(STAGE.scan, role), **scan) for role in ("input", "target")}
    return changed(STAGE, scan=changed(STAGE.scan, **scans))


def acquire_cells(channel="txred", number=0, sample=CELLS, acquisition=STAGE):
    return acquire(sample, acquisition, MODALITIES.in_channel(channel), channel, number, SEED)


def truth_of(channel="txred", number=0, acquisition=STAGE):
    return lay_out(acquisition, MODALITIES.in_channel(channel), channel, number, SEED)


def imaged(channel):
    """The noiseless image of the first scene by role."""
    modalities, size_nm = MODALITIES.in_channel(channel), truth_of(channel).size_nm
    return image_sample(CELLS, STAGE, modalities, channel, 0, SEED, size_nm)[0]


def pixels_where(truth, role, tile, position_nm):
    """Invert what sample_position_nm says, by Newton's method with its slope at the centre."""
    scan = truth.scans[role]
    middle = np.full((2, *position_nm.shape[1:]), (scan.tile_px - 1) / 2)
    turn = np.deg2rad(scan.rotation_degree)
    back = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    found = middle
    for _ in range(6):
        missed_nm = position_nm - sample_position_nm(truth, role, tile, *found)
        found = found + np.tensordot(back, missed_nm, 1) / scan.pixel_size_nm
    return found


def seen_by_both(truth, role, images, first, second):
    """What two tiles see at the same places, interpolated in the second."""
    tile_px = truth.scans[role].tile_px
    position_nm = sample_position_nm(truth, role, first, *np.mgrid[0:tile_px, 0:tile_px])
    places = pixels_where(truth, role, second, position_nm)
    inside = ((places >= 4) & (places <= tile_px - 5)).all(axis=0)
    other = map_coordinates(images[second].astype(float), places, order=3, mode="mirror")
    return images[first][inside].astype(float), other[inside]


@pytest.fixture(scope="module")
def sample():
    return imaged("txred"), 162.5


@pytest.fixture(scope="module")
def acquired():
    found = acquire_cells()
    return found.images, found.scan


def test_tiles_are_named_in_the_order_of_a_zigzag(acquired):
    tiles, truth = acquired
    assert list(tiles["input"]) == ["r0c0", "r0c1", "r1c1", "r1c0"]
    assert list(tiles["target"]) == ["r0c0", "r0c1", "r0c2", "r1c2", "r1c1", "r1c0"]
    for role, tile_px in (("input", 80), ("target", 70)):
        assert truth.scans[role].tiles.tile.tolist() == list(tiles[role])
        for tile in tiles[role].values():
            assert tile.shape == (tile_px, tile_px)
            assert tile.dtype == np.uint16


def test_without_errors_tiles_overlap_as_asked():
    truth = truth_of(acquisition=stage_with(stage_error_px=0.0))
    for role, step_nm in (("input", 0.8 * 80 * 650), ("target", 0.9 * 70 * 325)):
        tiles = truth.scans[role].tiles
        for axis, place in (("y_nm", "row"), ("x_nm", "column")):
            expected = (tiles[place] - tiles[place].mean()) * step_nm
            np.testing.assert_allclose(tiles[axis] - tiles[axis].mean(), expected, atol=1e-6)


def test_stage_errs_by_as_many_pixels_as_asked():
    scan = stage_with(rows=40, columns=40, stage_error_px=3.0).scan.target
    tiles = lay_tiles(scan, np.zeros(2), 325.0, np.random.default_rng(1))
    for axis, place in (("y_nm", "row"), ("x_nm", "column")):
        error_px = tiles[axis] / 325 - (tiles[place] - 19.5) * 0.9 * 70
        # cut off at three standard deviations, a normal distribution keeps 0.987 of its width
        assert error_px.std() == pytest.approx(0.987 * 3, rel=0.06)
        assert np.abs(error_px).max() <= 9


@pytest.mark.parametrize("number", [0, 1])
def test_stage_and_objectives_are_the_same_for_every_channel(number):
    first, second = truth_of("txred", number), truth_of("dapi", number)
    for role in ("input", "target"):
        tiles = [truth.scans[role].tiles for truth in (first, second)]
        assert tiles[0].equals(tiles[1])
    assert first.size_nm == second.size_nm


def test_cells_are_the_same_for_every_channel():
    filaments, nuclei = (imaged(channel)["target"] for channel in ("txred", "dapi"))
    assert filaments.shape == nuclei.shape
    inside = nuclei > 0.2 * np.percentile(nuclei, 99.9)
    # cells cover half of the scene, and every nucleus lies in one
    empty = filaments < 0.02 * np.percentile(filaments, 99.9)
    assert empty[inside].mean() < 0.2 * empty.mean()


def test_another_scene_has_other_stage_errors_but_the_same_objectives():
    first, second = truth_of(number=0), truth_of(number=1)
    for role in ("input", "target"):
        assert first.scans[role].distortion == second.scans[role].distortion
        assert (first.scans[role].tiles.y_nm != second.scans[role].tiles.y_nm).all()


def test_the_same_scene_gives_the_same_tiles_and_another_does_not(acquired):
    tiles, again, other = acquired[0], acquire_cells().images, acquire_cells(number=1).images
    for role in ("input", "target"):
        for name, tile in tiles[role].items():
            np.testing.assert_array_equal(tile, again[role][name])
            assert np.corrcoef(tile.ravel(), other[role][name].ravel())[0, 1] < 0.7


@pytest.mark.parametrize("number", range(20))
def test_the_target_lies_wholly_within_the_input(number):
    truth = truth_of("dapi", number)
    corner = np.array([0, 1])
    seen = {
        role: {
            tile: sample_position_nm(truth, role, tile, *np.ix_(*[corner * (scan.tile_px - 1)] * 2))
            for tile in scan.tiles.tile
        }
        for role, scan in truth.scans.items()
    }
    outer = seen["input"]
    least = [max(p[0].max() if a == 0 else p[1].max() for p in [
        tile[:, 0, :] if a == 0 else tile[:, :, 0] for name, tile in outer.items()
        if name[1 + 2 * a] == "0"]) for a in (0, 1)]  # fmt: skip
    most = [min(p[0].min() if a == 0 else p[1].min() for p in [
        tile[:, 1, :] if a == 0 else tile[:, :, 1] for name, tile in outer.items()
        if name[1 + 2 * a] == "1"]) for a in (0, 1)]  # fmt: skip
    inner = np.stack(list(seen["target"].values()))
    for axis in (0, 1):
        assert least[axis] < inner[:, axis].min()
        assert inner[:, axis].max() < most[axis]
        assert inner[:, axis].min() > 0


def test_the_targets_offset_is_random_and_bounded():
    centres = []
    for number in range(40):
        truth = truth_of(number=number, acquisition=stage_with(stage_error_px=0.0))
        away = truth.scans["target"].tiles[["y_nm", "x_nm"]].mean() - truth.size_nm / 2
        centres.append(away.to_numpy())
    assert np.abs(centres).max() <= 3000
    # a uniform distribution has a standard deviation of its width over root 12
    assert np.std(centres) == pytest.approx(6000 / np.sqrt(12), rel=0.2)


@pytest.mark.parametrize("role", ["input", "target"])
def test_a_spot_is_found_in_the_pixel_that_the_truth_names(role):
    truth, fine_nm = truth_of("dapi"), 162.5
    tile_px = truth.scans[role].tile_px
    # written out: pixel 20 lies (20 - (n - 1) / 2) pixels from the centre
    place_nm = sample_position_nm(truth, role, "r1c1", 20.0, tile_px - 15.0)
    centre_nm = (np.arange(round(truth.size_nm / fine_nm)) + 0.5) * fine_nm
    squared = (centre_nm[:, None] - place_nm[0]) ** 2 + (centre_nm[None, :] - place_nm[1]) ** 2
    spot = np.exp(-squared / 2 / 900.0**2).astype(np.float32)
    seen = sample_tiles(spot, fine_nm, truth, role)["r1c1"]
    y, x = np.mgrid[0:tile_px, 0:tile_px]
    centroid = (seen * y).sum() / seen.sum(), (seen * x).sum() / seen.sum()
    np.testing.assert_allclose(centroid, (20.0, tile_px - 15.0), atol=0.01)


def test_positions_follow_from_stage_scale_rotation_and_distortion():
    truth = truth_of("dapi")
    scan = truth.scans["target"]
    tile = scan.tiles.iloc[2]
    ideal_px = np.array([10 - 34.5, 60 - 34.5])
    dy, dx = ideal_px + scan.distortion.offset_px(*ideal_px)
    length, angle = np.hypot(dy, dx) * 325 * 1.002, np.arctan2(dy, dx) + np.deg2rad(0.2)
    expected = tile.y_nm + length * np.sin(angle), tile.x_nm + length * np.cos(angle)
    found = sample_position_nm(truth, "target", tile.tile, 10, 60)
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("distortion_px", [0.0, 1.5])
@pytest.mark.parametrize(
    ("role", "first", "second"),
    [("input", "r0c0", "r0c1"), ("input", "r0c1", "r1c1"), ("target", "r0c1", "r1c1")],
)
def test_neighbours_see_the_same_where_they_overlap(sample, role, first, second, distortion_px):
    truth = truth_of(acquisition=stage_with(distortion_px=distortion_px, overlap=0.25))
    images, fine_nm = sample
    # the input's pixels are too wide for its optics: without more blur, interpolation would err
    pixel_nm = truth.scans[role].pixel_size_nm
    image = gaussian_filter(images[role], pixel_nm / fine_nm)
    tiles = sample_tiles(image, fine_nm, truth, role)
    ours, theirs = seen_by_both(truth, role, tiles, first, second)
    assert len(ours) > 100
    assert np.sqrt(np.mean((ours - theirs) ** 2)) < 0.003 * image.std()
    assert np.corrcoef(ours, theirs)[0, 1] > 0.9999


def test_both_scans_see_the_same_sample(acquired):
    tiles, truth = acquired
    position_nm = sample_position_nm(truth, "target", "r0c1", *np.mgrid[0:70, 0:70])
    correlations = []
    for name, tile in tiles["input"].items():
        places = pixels_where(truth, "input", name, position_nm)
        inside = ((places > 2) & (places < 77)).all(axis=0)
        if inside.sum() > 500:
            seen = map_coordinates(tile.astype(float), places[:, inside], order=1)
            correlations.append(np.corrcoef(seen, tiles["target"]["r0c1"][inside])[0, 1])
    assert correlations
    assert min(correlations) > 0.9


def test_peak_photons_are_those_of_the_999th_thousandth():
    tiles = acquire_cells("dapi", sample=changed(CELLS, density_per_mm2=700.0)).images
    counts = np.concatenate([tile.ravel() for tile in tiles["input"].values()])
    # the tiles are some of the scene
    assert np.percentile(counts, 99.9) == pytest.approx(2 * 3100 + 100, rel=0.3)
    assert counts.max() < 65535


@pytest.mark.parametrize("channel", ["txred", "dapi"])
def test_without_cells_there_is_the_background_and_its_noise(channel):
    empty = acquire_cells(channel, sample=changed(CELLS, density_per_mm2=0.0))
    np.testing.assert_allclose(empty.noiseless, 300.0)
    tiles = empty.images
    for role in ("input", "target"):
        counts = np.stack(list(tiles[role].values())).astype(float)
        assert counts.mean() == pytest.approx(300, abs=1)
        # Poisson with gain 2, read noise, and rounding
        assert counts.var() == pytest.approx(4 * 100 + 36 + 1 / 12, rel=0.05)


@pytest.mark.parametrize("channel", ["txred", "dapi"])
def test_a_json_file_keeps_the_truth(channel):
    truth = truth_of(channel)
    again = truth_from_dict(json.loads(json.dumps(truth_to_dict(truth))))
    assert (again.channel, again.size_nm) == (channel, truth.size_nm)
    for role in ("input", "target"):
        for name in truth.scans[role].tiles.tile:
            np.testing.assert_array_equal(
                sample_position_nm(again, role, name, np.arange(70), 3),
                sample_position_nm(truth, role, name, np.arange(70), 3),
            )
        assert again.scans[role].tiles.equals(truth.scans[role].tiles)


def test_a_target_that_may_leave_the_input_is_the_users_mistake():
    target = changed(STAGE.scan.target, rows=4)
    with pytest.raises(InputError, match=r"scan\.target may reach"):
        acquire_cells(acquisition=changed(STAGE, scan=changed(STAGE.scan, target=target)))


@pytest.mark.parametrize("channel", ["txred", "dapi"])
def test_the_noiseless_image_is_what_the_targets_tiles_would_be_without_noise(channel):
    found = acquire_cells(channel)
    look_up = Lookup(found.noiseless, found.noiseless_pixel_nm)
    for name, tile in found.images["target"].items():
        places_nm = sample_position_nm(found.scan, "target", name, *np.mgrid[0:70, 0:70])
        expected = look_up(places_nm)
        # Poisson with gain 2 over an offset of 100, read noise, and rounding
        variance = 2 * (expected - 100.0) + 36 + 1 / 12
        deviation = (tile - expected) / np.sqrt(variance)
        assert deviation.mean() == pytest.approx(0.0, abs=5 / 70)
        assert deviation.std() == pytest.approx(1.0, abs=0.05)
