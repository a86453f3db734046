import itertools
import json

import pytest
from scan_rows import HEADER, SPLITS, STITCH, scan_rows, tile_row

from crossres.jobs import InputError

STAINS = {"actin": {"structure": "filaments"}, "dapi": {"structure": "nuclei"}}
SIMULATOR = {
    "sample": {"kind": "cells", "stains": STAINS},
    "acquisition": {
        "kind": "stage",
        "scenes": {"train": 3, "validation": 1, "test": 2},
        "scan": {
            "input": {"rows": 2, "columns": 2, "tile_px": 384, "overlap": 0.2},
            "target": {"rows": 3, "columns": 4, "tile_px": 384, "overlap": 0.1},
        },
    },
}


@pytest.fixture
def load_from_sheet(settings, load, write_sheet):
    def load_rows(*rows, stitch=STITCH, fields_per_job=13, **modalities):
        source = write_sheet(*rows, header=HEADER)
        del source["split_fractions"]
        settings["source"] = {**source, "stitch": stitch}
        for role, changes in modalities.items():
            settings["modalities"][role] |= changes
        return load(settings, "scans", fields_per_job)

    return load_rows


SHEET = [
    *scan_rows("a", split="train"),
    *scan_rows("b", split="validation"),
    *scan_rows("d", split="test"),
]


def test_scans_of_a_sheet_become_fields_and_tiles(load_from_sheet):
    experiment = load_from_sheet(*SHEET)
    assert experiment.stitched
    assert not experiment.simulated
    # 2 x 3 fields of each of three scenes; 2 x 2 and 1 x 2 tiles share four rows
    assert len(experiment.fields) == 18
    assert len(experiment.tiles) == 12
    assert [len(experiment.in_split("c", split)) for split in SPLITS] == [6, 6, 6]


@pytest.mark.parametrize(("role", "count"), [("input", 4), ("target", 2)])
def test_tiles_of_a_batch_are_those_of_one_objective(load_from_sheet, role, count):
    tiles = load_from_sheet(*SHEET).tiles_in_batch("c", "validation_000", role)
    assert {tile.scene for tile in tiles} == {"b"}
    assert len(tiles) == count
    assert all(getattr(tile, role) for tile in tiles)


@pytest.mark.parametrize(
    ("fields_per_job", "scenes"),
    # six fields a scene: no batch but of whole scenes, and none without one
    [(1, [1, 1, 1, 1, 1]), (6, [1, 1, 1, 1, 1]), (11, [1, 1, 1, 1, 1]), (12, [2, 2, 1]),
     (17, [2, 2, 1]), (50, [5])],
)  # fmt: skip
def test_batches_are_of_whole_scenes(load_from_sheet, fields_per_job, scenes):
    train = [row for n in range(5) for row in scan_rows(f"t{n}", split="train")]
    experiment = load_from_sheet(*train, *SHEET[4:], fields_per_job=fields_per_job)
    names = experiment.batches("c", "train")
    parts = [experiment.in_batch("c", name) for name in names]
    assert [len(part) for part in parts] == [6 * count for count in scenes]
    assert list(itertools.chain(*parts)) == experiment.in_split("c", "train")
    found = [{field.scene for field in part} for part in parts]
    assert [len(part) for part in found] == scenes
    assert set().union(*found) == {f"t{n}" for n in range(5)}


def test_tiles_of_all_batches_are_all_tiles(load_from_sheet):
    experiment = load_from_sheet(*SHEET)
    found = [
        tile
        for name in experiment.batches("c", *SPLITS)
        for tile in experiment.tiles_in_batch("c", name, "target")
    ]
    assert found == [tile for tile in experiment.tiles if tile.target]


@pytest.mark.parametrize(("lost", "role"), [("t", "target"), ("i", "input")])
def test_a_scene_without_tiles_of_a_role_is_refused(load_from_sheet, lost, role):
    kept = "it".replace(lost, "")
    with pytest.raises(InputError) as fault:
        load_from_sheet(*SHEET[:8], tile_row("d", 0, 0, kept, split="test"))
    assert f"scene 'd' of channel 'c' has no {role} tiles" in str(fault.value)


@pytest.mark.parametrize("names", [[], ["d"], ["c", "d"]])
@pytest.mark.parametrize("role", ["input", "target"])
def test_wavelengths_are_those_of_the_channels_there_are(load_from_sheet, role, names):
    wavelengths = dict.fromkeys(names, 600)
    with pytest.raises(InputError) as fault:
        load_from_sheet(*SHEET, **{role: {"wavelength_nm": wavelengths}})
    assert f"modalities.{role}.wavelength_nm names the channels {', '.join(names)}" in str(
        fault.value
    )
    assert "the experiment has c" in str(fault.value)


def test_a_wavelength_for_each_channel_is_allowed(load_from_sheet):
    experiment = load_from_sheet(*SHEET, input={"wavelength_nm": {"c": 600}})
    assert experiment.settings.modalities.in_channel("c").input.wavelength_nm == 600


def test_a_channel_to_stitch_by_that_is_none_is_refused(load_from_sheet):
    with pytest.raises(InputError, match=r"source\.stitch\.channel is 'gfp'; .* has c"):
        load_from_sheet(*SHEET, stitch={**STITCH, "channel": "gfp"})


def test_a_channel_to_stitch_by_is_kept(load_from_sheet):
    stitch = {**STITCH, "channel": "c"}
    assert load_from_sheet(*SHEET, stitch=stitch).placing_channel == "c"
    assert load_from_sheet(*SHEET).placing_channel is None


@pytest.fixture
def simulated(settings):
    """Settings of an experiment of simulated scans."""
    settings["source"] = json.loads(
        json.dumps({"simulator": SIMULATOR, "stitch": {"fields": STITCH["fields"]}})
    )
    return settings


@pytest.fixture
def load_simulated(simulated, load):
    return lambda: load(simulated, "scans", fields_per_job=13)


def test_simulated_scans_become_fields_of_every_channel(load_simulated):
    experiment = load_simulated()
    assert experiment.simulated
    assert experiment.scanned
    assert experiment.stitched
    assert experiment.channels == ["actin", "dapi"]
    for channel in experiment.channels:
        found = [len(experiment.in_split(channel, split)) for split in SPLITS]
        # six fields of every scene
        assert found == [18, 6, 12]
    names = [(field.name, field.channel) for field in experiment.fields]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("role", "rows", "columns"), [("input", 2, 2), ("target", 3, 4)])
def test_simulated_tiles_are_those_of_each_objectives_grid(load_simulated, role, rows, columns):
    tiles = load_simulated().tiles_in_batch("dapi", "validation_000", role)
    places = {tile.place for tile in tiles}
    assert places == set(itertools.product(range(rows), range(columns)))
    assert len(tiles) == len(places)
    assert all(tile.channel == "dapi" and tile.split == "validation" for tile in tiles)
    named = {f"{tile.scene}_r{row}c{column}.tif" for tile in tiles for row, column in [tile.place]}
    assert {getattr(tile, role).path for tile in tiles} == named


def test_batches_of_simulated_scans_hold_whole_scenes(load_simulated):
    experiment = load_simulated()
    # 13 fields a job are two scenes of six
    parts = [experiment.in_batch("actin", n) for n in experiment.batches("actin", "train")]
    assert [len({field.scene for field in part}) for part in parts] == [2, 1]
    assert [len(part) for part in parts] == [12, 6]


@pytest.mark.parametrize("channel", STAINS)
def test_a_channel_has_defaults_of_its_own(load_simulated, channel):
    simulator = load_simulated().simulator
    stain, optics = simulator.sample.stains[channel], simulator.acquisition.optics_of(channel)
    assert stain.brightness == 1
    assert optics.defocus_um == 0
    assert (optics.filter_shift_px.input, optics.filter_shift_px.target) == ((0, 0), (0, 0))


def test_filaments_have_defaults(load_simulated):
    stain = load_simulated().simulator.sample.stains["actin"]
    assert (stain.fibre_count, stain.width_nm, stain.strands, stain.haze) == (100, 250, 1, 0.3)


def test_what_a_channel_says_is_kept_beside_the_defaults(simulated, load_simulated):
    simulated["source"]["simulator"]["acquisition"]["channels"] = {
        "dapi": {"defocus_um": 0.8},
        "actin": {"filter_shift_px": {"target": [0.5, -1]}},
    }
    acquisition = load_simulated().simulator.acquisition
    assert acquisition.optics_of("dapi").defocus_um == 0.8
    shift = acquisition.optics_of("actin").filter_shift_px
    assert (shift.input, shift.target) == ((0, 0), (0.5, -1))


@pytest.mark.parametrize("role", ["input", "target"])
def test_both_scans_have_defaults(load_simulated, role):
    scan = getattr(load_simulated().simulator.acquisition.scan, role)
    assert (scan.distortion_px, scan.stage_error_px, scan.offset_nm) == (0.6, 3, 0)


def test_the_simulator_and_the_stitching_have_defaults(load_simulated):
    source = load_simulated().settings.source
    assert (source.simulator.seed, source.simulator.sample.thickness_um) == (0, 4)
    assert (source.stitch.overlap.input, source.stitch.overlap.target) == (None, None)
    assert source.stitch.channel is None


@pytest.fixture
def simulated_refusal(simulated, load_simulated):
    def refusal_of():
        with pytest.raises(InputError) as fault:
            load_simulated()
        return str(fault.value)

    return refusal_of


def test_a_key_of_a_channel_is_named_with_the_nearest(simulated, simulated_refusal):
    channels = {"dapi": {"defocus": 1}}
    simulated["source"]["simulator"]["acquisition"]["channels"] = channels
    message = simulated_refusal()
    assert "source.simulator.acquisition.channels.dapi.defocus" in message
    assert "did you mean defocus_um?" in message


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("source.stitch", None, "source.stitch is missing"),
        ("source.sheet", "a.tsv", "it has simulator and sheet"),
        ("source.simulator.sample.stains.dapi.structure", None, "dapi.structure is missing"),
        (
            "source.simulator.sample.stains.dapi.structure",
            "actin",
            "it can be filaments, nuclei",
        ),
        ("source.simulator.acquisition.scan.target", None, "scan.target is missing"),
        (
            "source.simulator.acquisition.scenes.test",
            0,
            "source.simulator.acquisition.scenes.test",
        ),
        ("source.simulator.sample.stains", {}, "source.simulator.sample.stains"),
        ("source.simulator.sample.stains", {"a/b": STAINS["dapi"]}, "a/b"),
        ("source.stitch.overlap", {"input": 1.0}, "source.stitch.overlap.input"),
        ("source.stitch.fields.size_px", 32, "source.stitch.fields.size_px"),
        (
            "source.cut",
            {"rows": 1, "columns": dict.fromkeys(SPLITS, 1), "guard_px": 0},
            "source.cut and source.stitch both cut",
        ),
        ("source.stitch.fields.size_px", 80, "a field of 80 px has 60 px left"),
        ("modalities.input.camera", None, "modalities.input.camera is missing"),
    ],
)
def test_what_scans_cannot_be_is_named(simulated, simulated_refusal, path, value, words):
    *above, last = path.split(".")
    found = simulated
    for name in above:
        found = found[name]
    if value is None:
        del found[last]
    else:
        found[last] = value
    assert words in simulated_refusal()


def test_beads_have_no_tiles_to_stitch(settings, load):
    settings["source"]["stitch"] = STITCH
    with pytest.raises(InputError, match=r"source\.stitch has no tiles"):
        load(settings)


def test_simulated_scenes_are_numbered_alike_in_every_channel(load_simulated):
    experiment = load_simulated()
    for channel in experiment.channels:
        found = [
            one
            for name in experiment.batches(channel, *SPLITS)
            for one in experiment.numbered(channel, name)
        ]
        assert found == [
            ("train_000", 0),
            ("train_001", 1),
            ("train_002", 2),
            ("validation_000", 10**6),
            ("test_000", 2 * 10**6),
            ("test_001", 2 * 10**6 + 1),
        ]
