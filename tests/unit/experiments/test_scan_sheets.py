import pytest
from scan_rows import HEADER, SPLITS, STITCH, tile_row

from crossres.experiments import tile_name
from crossres.experiments.scans import Scene, fields_of_scenes, scenes_of_tiles
from crossres.experiments.sheets import read_sheet
from crossres.jobs import InputError
from crossres.settings import FieldGrid, Source


@pytest.fixture
def read(write_sheet):
    """Read tiles from rows of a sheet."""

    def tiles_of(*rows):
        source = Source(**write_sheet(*rows, header=HEADER), stitch=STITCH)
        fields, tiles = read_sheet(source)
        # they are cut from the mosaics
        assert fields == []
        return tiles

    return tiles_of


@pytest.fixture
def refusal(write_sheet):
    def refusal_of(*rows, header=HEADER, **changes):
        source = {**write_sheet(*rows, header=header), "stitch": STITCH, **changes}
        with pytest.raises(InputError) as fault:
            read_sheet(Source(**source))
        return str(fault.value)

    return refusal_of


def test_a_tile_is_named_by_its_scene_row_and_column():
    assert tile_name("slide-2", 0, 11) == "slide-2_r0c11"


def test_a_row_becomes_a_tile(read, tmp_path):
    (tile,) = read(tile_row("s1", 3, 12, split="test"))
    assert (tile.scene, tile.place, tile.split, tile.row) == ("s1", (3, 12), "test", 2)
    assert tile.name == "s1_r3c12"
    assert tile.input.path == str(tmp_path / "s1_c_3_12_i.tif")
    assert tile.target.path == str(tmp_path / "s1_c_3_12_t.tif")


def test_a_tile_that_the_input_lacks(read):
    both, target_only = read(tile_row("s1", 0, 0), tile_row("s1", 0, 1, "t"))
    assert both.input is not None
    assert (target_only.input, target_only.place) == (None, (0, 1))


def test_a_tile_that_the_target_lacks(read):
    both, input_only = read(tile_row("s1", 0, 0), tile_row("s1", 0, 1, "i"))
    assert both.target is not None
    assert (input_only.target, input_only.place) == (None, (0, 1))


def test_many_tiles_that_the_target_lacks(read):
    tiles = read(*(tile_row("s1", 0, n, "i" if n else "it") for n in range(4)))
    assert [tile.target is None for tile in tiles] == [False, True, True, True]


def test_many_tiles_that_the_input_lacks(read):
    tiles = read(*(tile_row("s1", 0, n, "t" if n else "it") for n in range(4)))
    assert [tile.input is None for tile in tiles] == [False, True, True, True]


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
    scenes = [Scene("s1", "c", "train"), Scene("s2", "c", "test")]
    fields = fields_of_scenes(scenes, FieldGrid(**STITCH["fields"]))
    assert [field.name for field in fields[:6]] == [
        "s1_r0c0", "s1_r0c1", "s1_r0c2", "s1_r1c0", "s1_r1c1", "s1_r1c2",
    ]  # fmt: skip
    assert [(f.scene, f.split) for f in fields] == 6 * [("s1", "train")] + 6 * [("s2", "test")]
    assert {(field.input, field.target) for field in fields} == {(None, None)}


def test_scenes_and_tiles_come_in_an_order_of_their_own(read):
    rows = [tile_row(s, 0, n, split="test") for s in ("s2", "s10", "s1") for n in (0, 2, 10)]
    tiles = read(*rows)
    assert tiles == read(*rows[::-1])
    assert scenes_of_tiles(tiles) == [Scene(name, "c", "test") for name in ("s1", "s10", "s2")]
    assert [tile.place for tile in tiles[:3]] == [(0, 0), (0, 2), (0, 10)]


def test_a_scene_in_two_groups_of_different_splits_is_refused(refusal):
    rows = (
        f"{tile_row('s1', 0, n, split=split)} {group}"
        for n, (split, group) in enumerate((("train", "g1"), ("test", "g2")))
    )
    assert "'s1'" in refusal(*rows, header=f"{HEADER} group")
