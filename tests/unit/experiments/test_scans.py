import itertools
import json

import pytest

from crossres.experiments import Experiment, load_experiment_settings, load_experiments, tile_name
from crossres.experiments.scans import fields_of_scenes, scenes_of_tiles
from crossres.experiments.sheets import read_sheet
from crossres.jobs import InputError

HEADER = "field channel input target scene tile_row tile_col split"
SPLITS = ("train", "validation", "test")
STITCH = {"fields": {"rows": 2, "columns": 3, "size_px": 512}}
STAINS = {"actin": {"structure": "filaments"}, "dapi": {"structure": "nuclei"}}
SIMULATOR = {
    "scenes": {"train": 3, "validation": 1, "test": 2},
    "channels": STAINS,
    "scan": {
        "input": {"rows": 2, "columns": 2, "tile_px": 384, "overlap": 0.2},
        "target": {"rows": 3, "columns": 4, "tile_px": 384, "overlap": 0.1},
    },
}


def tile_row(scene, row, column, roles="it", split=".", channel="c"):
    """A line of a sheet: a tile of the input's scan, of the target's or of both."""
    name = f"{scene}_{channel}_{row}_{column}"
    paths = [f"{name}_{role}.tif" if role in roles else "." for role in "it"]
    return f"{name} {channel} {paths[0]} {paths[1]} {scene} {row} {column} {split}"


def scan_rows(scene, **others):
    """A scan of 2 x 2 tiles by the input's objective, and of 1 x 2 by the target's."""
    roles = {(0, 0): "it", (0, 1): "it", (1, 0): "i", (1, 1): "i"}
    return [tile_row(scene, *place, roles=found, **others) for place, found in roles.items()]


@pytest.fixture
def read(write_sheet):
    """Read tiles from rows of a sheet."""
    return lambda *rows: read_sheet({**write_sheet(*rows, header=HEADER), "stitch": STITCH})


@pytest.fixture
def refusal(write_sheet):
    def refusal_of(*rows, header=HEADER, **changes):
        source = {**write_sheet(*rows, header=header), "stitch": STITCH, **changes}
        source = {key: value for key, value in source.items() if value is not None}
        with pytest.raises(InputError) as fault:
            read_sheet(source)
        return str(fault.value)

    return refusal_of


def test_a_tile_is_named_by_its_scene_row_and_column():
    assert tile_name("slide-2", 0, 11) == "slide-2_r0c11"


def test_a_row_becomes_a_tile(read, tmp_path):
    (tile,) = read(tile_row("s1", 3, 12, split="test"))
    assert (tile.scene, tile.tile, tile.split, tile.row) == ("s1", (3, 12), "test", 2)
    assert tile.input_path == str(tmp_path / "s1_c_3_12_i.tif")
    assert tile.target_path == str(tmp_path / "s1_c_3_12_t.tif")


def test_a_tile_that_the_input_lacks(read):
    both, target_only = read(tile_row("s1", 0, 0), tile_row("s1", 0, 1, "t"))
    assert both.input_path is not None
    assert (target_only.input_path, target_only.tile) == (None, (0, 1))


def test_a_tile_that_the_target_lacks(read):
    both, input_only = read(tile_row("s1", 0, 0), tile_row("s1", 0, 1, "i"))
    assert both.target_path is not None
    assert (input_only.target_path, input_only.tile) == (None, (0, 1))


def test_many_tiles_that_the_target_lacks(read):
    tiles = read(*(tile_row("s1", 0, n, "i" if n else "it") for n in range(4)))
    assert [tile.target_path is None for tile in tiles] == [False, True, True, True]


def test_many_tiles_that_the_input_lacks(read):
    tiles = read(*(tile_row("s1", 0, n, "t" if n else "it") for n in range(4)))
    assert [tile.input_path is None for tile in tiles] == [False, True, True, True]


def test_tiles_of_a_scene_are_assigned_together(read):
    rows = [tile_row(f"s{i}", 0, j, split=".") for i in range(10) for j in range(2)]
    split_of = {}
    for tile in read(*rows):
        split_of.setdefault(tile.scene, set()).add(tile.split)
    assert all(len(found) == 1 for found in split_of.values())
    # 60, 20 and 20 % of ten scenes, not of twenty tiles
    splits = [found.pop() for found in split_of.values()]
    assert [splits.count(split) for split in SPLITS] == [6, 2, 2]


def test_a_scene_is_in_one_split_over_all_channels(read):
    tiles = read(*(tile_row(f"s{i}", 0, 0, channel=c) for i in range(9) for c in ("x", "y")))
    for scene in {tile.scene for tile in tiles}:
        assert len({tile.split for tile in tiles if tile.scene == scene}) == 1


def test_a_scene_in_two_splits_is_refused(refusal):
    message = refusal(tile_row("s1", 0, 0, split="train"), tile_row("s1", 0, 1, split="test"))
    assert "line 3: group 's1' is in the train split above and in test here" in message


def test_a_scene_without_stitch_is_refused(refusal):
    message = refusal(tile_row("s1", 0, 0), stitch=None)
    assert "line 2: scene is given, but no source.stitch" in message


def test_stitch_without_a_scene_is_refused(refusal):
    message = refusal(tile_row("s1", 0, 0), "b c i.tif t.tif . . . test")
    assert "line 3: source.stitch is given, but no scene" in message


@pytest.mark.parametrize("numbers", ["0 .", ". 0", "1 2"])
def test_tile_numbers_without_a_scene_are_refused(refusal, numbers):
    message = refusal(f"b c i.tif t.tif . {numbers} test", stitch=None)
    assert "line 2: tile_row and tile_col are given, but no scene" in message


@pytest.mark.parametrize("value", ["-1", "1.0", "r0", ".", "1e1"])
@pytest.mark.parametrize("column", ["tile_row", "tile_col"])
def test_a_tile_number_that_is_no_number_is_refused(refusal, column, value):
    cells = dict(zip(HEADER.split(), tile_row("s1", 0, 0).split(), strict=True))
    message = refusal(" ".join({**cells, column: value}.values()))
    shown = "" if value == "." else value
    assert f"line 2: {column} is {shown!r}" in message
    assert "whole number, from 0" in message


@pytest.mark.parametrize("digit", ["²", "٣x"])
def test_a_tile_number_of_other_digits_is_refused(refusal, digit):
    cells = dict(zip(HEADER.split(), tile_row("s1", 0, 0).split(), strict=True))
    assert "line 2: tile_row is" in refusal(" ".join({**cells, "tile_row": digit}.values()))


def test_a_scene_whose_name_makes_no_file_is_refused(refusal):
    row = tile_row("s1", 0, 0).replace(" s1 ", " s/1 ")
    assert "line 2: scene is 's/1'" in refusal(row)


@pytest.mark.parametrize("role", ["input", "target"])
def test_the_same_tile_twice_is_refused_with_both_lines(refusal, role):
    again = tile_row("s1", 0, 1, role[0]).replace("s1_c_0_1", "other")
    message = refusal(tile_row("s1", 0, 0), tile_row("s1", 0, 1), again)
    assert f"line 4: the {role} of scene 's1', channel 'c' has its tile (0, 1) in line 3" in message


def test_the_same_place_in_another_scene_channel_or_role_is_another_tile(read):
    target_alone = tile_row("s2", 0, 1, "t").replace("s2_c", "again", 1)
    rows = [tile_row("s1", 0, 0), tile_row("s2", 0, 0), tile_row("s1", 0, 0, channel="d")]
    rows += [tile_row("s2", 0, 1, "i"), target_alone]
    assert len(read(*rows)) == 5


def test_a_tile_with_neither_input_nor_target_is_refused(refusal):
    assert "line 2: input is empty" in refusal(tile_row("s1", 0, 0, roles=""))


def test_a_missing_file_of_a_tile_is_named(refusal, tmp_path):
    (tmp_path / "empty").mkdir()
    message = refusal(tile_row("s1", 0, 0, "t"), data_root=str(tmp_path / "empty"))
    assert f"line 2: target {tmp_path / 'empty' / 's1_c_0_0_t.tif'} does not exist" in message
    assert "input" not in message.split("correct the path")[0]


def test_fields_are_named_by_scene_row_and_column_and_have_its_split():
    fields = fields_of_scenes([("s1", "c", "train"), ("s2", "c", "test")], STITCH["fields"])
    assert [field.name for field in fields[:6]] == [
        "s1_r0c0", "s1_r0c1", "s1_r0c2", "s1_r1c0", "s1_r1c1", "s1_r1c2",
    ]  # fmt: skip
    assert [(f.scene, f.split) for f in fields] == 6 * [("s1", "train")] + 6 * [("s2", "test")]
    assert {field.tile for field in fields} == {None}


def test_scenes_come_in_the_order_of_the_sheet(read):
    order = ["s2", "s10", "s1"]
    tiles = read(*(tile_row(s, 0, n, split="test") for s in order for n in range(2)))
    assert scenes_of_tiles(tiles) == [(scene, "c", "test") for scene in order]


def config(**changes):
    return {"experiments": ["scans"], "scale": "paper", "fields_per_job": 13, **changes}


@pytest.fixture
def load_from_sheet(settings, write_experiment, write_sheet):
    def load(*rows, stitch=STITCH, fields_per_job=13, **modalities):
        source = write_sheet(*rows, header=HEADER)
        del source["split_fractions"]
        settings["source"] = {**source, "stitch": stitch}
        for role, changes in modalities.items():
            settings["modalities"][role] |= changes
        folder = write_experiment(settings, "scans")
        return load_experiments(config(fields_per_job=fields_per_job), folder)["scans"]

    return load


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
    assert all(getattr(tile, f"{role}_path") for tile in tiles)


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
    assert found == [tile for tile in experiment.tiles if tile.target_path]


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
    assert experiment.settings["modalities"]["input"]["wavelength_nm"] == {"c": 600}


def test_a_channel_to_stitch_by_that_is_none_is_refused(load_from_sheet):
    with pytest.raises(InputError, match=r"source\.stitch\.channel is 'gfp'; .* has c"):
        load_from_sheet(*SHEET, stitch={**STITCH, "channel": "gfp"})


def test_a_channel_to_stitch_by_is_kept(load_from_sheet):
    settings = load_from_sheet(*SHEET, stitch={**STITCH, "channel": "c"}).settings
    assert settings["source"]["stitch"]["channel"] == "c"


@pytest.fixture
def simulated(settings):
    """Settings of an experiment of simulated scans."""
    settings["source"] = json.loads(
        json.dumps({"scan_simulator": SIMULATOR, "stitch": {"fields": STITCH["fields"]}})
    )
    return settings


@pytest.fixture
def load_simulated(simulated, write_experiment):
    def load(**source) -> Experiment:
        simulated["source"] |= source
        return load_experiments(config(), write_experiment(simulated, "scans"))["scans"]

    return load


def test_simulated_scans_become_fields_of_every_channel(load_simulated):
    experiment = load_simulated()
    assert experiment.simulated
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
    places = {tile.tile for tile in tiles}
    assert places == set(itertools.product(range(rows), range(columns)))
    assert len(tiles) == len(places)
    assert all(tile.channel == "dapi" and tile.split == "validation" for tile in tiles)
    named = {f"{tile.scene}_r{tile.tile[0]}c{tile.tile[1]}.tif" for tile in tiles}
    assert {getattr(tile, f"{role}_path") for tile in tiles} == named


def test_batches_of_simulated_scans_hold_whole_scenes(load_simulated):
    experiment = load_simulated()
    # 13 fields a job are two scenes of six
    parts = [experiment.in_batch("actin", n) for n in experiment.batches("actin", "train")]
    assert [len({field.scene for field in part}) for part in parts] == [2, 1]
    assert [len(part) for part in parts] == [12, 6]


@pytest.mark.parametrize(
    ("key", "default"),
    [("brightness", 1), ("defocus_um", 0), ("fibre_count", 100), ("width_nm", 250),
     ("strands", 1), ("haze", 0.3), ("filter_shift_px", {"input": [0, 0], "target": [0, 0]})],
)  # fmt: skip
@pytest.mark.parametrize("channel", STAINS)
def test_defaults_are_filled_into_every_channel(load_simulated, channel, key, default):
    found = load_simulated().settings["source"]["scan_simulator"]["channels"][channel]
    assert found[key] == default


def test_what_a_channel_says_is_kept_beside_the_defaults(simulated, load_simulated):
    channels = simulated["source"]["scan_simulator"]["channels"]
    channels["dapi"]["defocus_um"] = 0.8
    channels["actin"]["filter_shift_px"] = {"target": [0.5, -1]}
    found = load_simulated().settings["source"]["scan_simulator"]["channels"]
    assert found["dapi"]["defocus_um"] == 0.8
    assert found["actin"]["defocus_um"] == 0
    assert found["actin"]["filter_shift_px"] == {"input": [0, 0], "target": [0.5, -1]}


@pytest.mark.parametrize("role", ["input", "target"])
def test_defaults_are_filled_into_both_scans(load_simulated, role):
    scan = load_simulated().settings["source"]["scan_simulator"]["scan"][role]
    assert (scan["distortion_px"], scan["stage_error_px"], scan["offset_nm"]) == (0.6, 3, 0)


def test_defaults_are_filled_into_the_simulator_and_the_stitching(load_simulated):
    source = load_simulated().settings["source"]
    assert (source["scan_simulator"]["seed"], source["scan_simulator"]["thickness_um"]) == (0, 4)
    assert source["stitch"]["overlap"] == {"input": None, "target": None}
    assert source["stitch"]["channel"] is None


@pytest.fixture
def simulated_refusal(simulated, write_experiment):
    def refusal_of():
        with pytest.raises(InputError) as fault:
            load_experiment_settings("scans", "paper", write_experiment(simulated, "scans"))
        return str(fault.value)

    return refusal_of


def test_a_key_of_a_channel_is_named_with_the_nearest(simulated, simulated_refusal):
    simulated["source"]["scan_simulator"]["channels"]["dapi"]["defocus"] = 1
    message = simulated_refusal()
    assert "source.scan_simulator.channels.dapi.defocus is no known key" in message
    assert "did you mean defocus_um?" in message


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("source.stitch", None, "source.stitch is missing"),
        ("source.sheet", "a.tsv", "it has scan_simulator and sheet"),
        ("source.scan_simulator.channels.dapi.structure", None, "dapi.structure is missing"),
        ("source.scan_simulator.channels.dapi.structure", "actin", "it can be filaments, nuclei"),
        ("source.scan_simulator.scan.target", None, "scan.target is missing"),
        ("source.scan_simulator.scenes.test", 0, "source.scan_simulator.scenes.test"),
        ("source.scan_simulator.channels", {}, "source.scan_simulator.channels"),
        ("source.scan_simulator.channels", {"a/b": STAINS["dapi"]}, "a/b"),
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


def test_beads_have_no_tiles_to_stitch(settings, write_experiment):
    settings["source"]["stitch"] = STITCH
    with pytest.raises(InputError, match=r"source\.stitch has no tiles"):
        load_experiment_settings("beads", "paper", write_experiment(settings))


def test_a_scene_in_two_groups_of_different_splits_is_refused(refusal):
    rows = (
        f"{tile_row('s1', 0, n, split=split)} {group}"
        for n, (split, group) in enumerate((("train", "g1"), ("test", "g2")))
    )
    assert "'s1'" in refusal(*rows, header=f"{HEADER} group")
