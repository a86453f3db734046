import pytest

from crossres.experiments import Field, RawFile
from crossres.experiments.sheets import read_sheet
from crossres.jobs import InputError
from crossres.settings import Source

SPLITS = ("train", "validation", "test")


def fields_of(source):
    fields, tiles = read_sheet(Source(**source))
    assert tiles == []
    return fields


def refusal(source):
    with pytest.raises(InputError) as fault:
        read_sheet(Source(**source))
    assert "sheet" in str(fault.value)
    return str(fault.value)


def test_a_row_becomes_a_field(write_sheet, tmp_path):
    header = "field channel input target split group input_pixel_size_nm target_pixel_size_nm"
    source = write_sheet("a_1 dapi in.tif out.tif test slide2 65 32.5", header=header)
    (field,) = fields_of(source)
    input_file = RawFile(str(tmp_path / "in.tif"), 65.0)
    target_file = RawFile(str(tmp_path / "out.tif"), 32.5)
    assert field == Field("a_1", "dapi", "test", input_file, target_file)
    assert field.row == 2


def test_volumes_may_have_their_z_steps_in_the_sheet(write_sheet):
    header = "field channel input target split input_z_step_nm target_z_step_nm"
    (field,) = fields_of(write_sheet("a c i.tif i_t.tif test 300 150.5", header=header))
    assert (field.input.z_step_nm, field.target.z_step_nm) == (300.0, 150.5)


def test_empty_cells_are_none(write_sheet):
    (field,) = fields_of(write_sheet("a c in.tif . apply ."))
    assert field.target is None
    assert (field.input.pixel_size_nm, field.input.z_step_nm) == (None, None)


def test_columns_may_come_in_any_order_and_spaces_do_not_matter(write_sheet):
    header = "split input channel target field"
    (field,) = fields_of(write_sheet([" test", "in.tif", "c ", "out.tif", " a "], header=header))
    assert (field.name, field.channel, field.split) == ("a", "c", "test")


def test_a_byte_order_mark_of_excel_is_no_part_of_the_header(write_sheet, tmp_path):
    source = write_sheet("a c in.tif out.tif test .")
    sheet = tmp_path / "sheet.tsv"
    sheet.write_bytes(b"\xef\xbb\xbf" + sheet.read_bytes().replace(b"\n", b"\r\n"))
    assert [field.name for field in fields_of(source)] == ["a"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("a c . t.tif test .", ["line 3", "input is empty"]),
        ("a c i.tif . test .", ["line 3", "target is empty", "apply"]),
        ("a c i.tif . . .", ["line 3", "target is empty"]),
        (". c i.tif i_t.tif test .", ["line 3", "field is ''", "letters"]),
        ("a/b c i.tif i_t.tif test .", ["line 3", "field is 'a/b'", "letters"]),
        ("a GFP+ i.tif i_t.tif test .", ["line 3", "channel is 'GFP+'"]),
        ("a c i.tif i_t.tif tset .", ["line 3", "split is 'tset'", "train, validation, test"]),
        ("first c i.tif i_t.tif test .", ["line 3", "field 'first'", "line 2 already"]),
        ("a c in.tif in_t.tif test .", ["line 3", "in.tif", "line 2 already"]),
        ("a c out.tif o_t.tif test .", ["line 3", "out.tif", "line 2 already as target"]),
        ("a c i.tif i.tif test .", ["line 3: input and target are one file, ", "i.tif"]),
        ("a c i.tif out.tif test .", ["line 3: group 'first' is in the train split above"]),
        ("a c i.tif out.tif train g", ["line 3: has the target of line 2, but is in group 'g'"]),
        ("a c i.tif i_t.tif test g extra", ["line 3: has 'extra' in column 7, which has no name"]),
        (f"{'a/' * 30000} c i.tif i_t.tif test .", ["line 3", "field is 'a/a/", "/a...; expected"]),
    ],
)
def test_faults_of_a_row_are_named_with_its_line(write_sheet, row, words):
    message = refusal(write_sheet("first c in.tif out.tif train .", row))
    for word in words:
        assert word in message


def test_inputs_at_several_light_levels_may_share_a_target(write_sheet):
    rows = [f"f{i}_{level} c i{i}_{level}.tif t{i}.tif . ." for i in range(6) for level in "ab"]
    splits = {field.name: field.split for field in fields_of(write_sheet(*rows))}
    assert set(splits.values()) == set(SPLITS)
    assert all(splits[f"f{i}_a"] == splits[f"f{i}_b"] for i in range(6))


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to", None])
def test_a_training_pair_is_no_test_under_another_name(write_sheet, tmp_path, link):
    source = write_sheet("a c i.tif i_t.tif train .", "b c j.tif j_t.tif test .")
    path = tmp_path / "j.tif"
    path.unlink()
    if link:
        getattr(path, link)(tmp_path / "i.tif")
    else:
        (tmp_path / "x").mkdir()
        sheet = tmp_path / "sheet.tsv"
        sheet.write_text(sheet.read_text().replace("j.tif", "x/../i.tif"))
    assert "i.tif; delete one of the rows" in refusal(source)


@pytest.mark.parametrize("cell", ['"five" px', '"slide 5'])
def test_a_quotation_mark_that_swallows_rows_is_named(write_sheet, tmp_path, cell):
    rows = [f"f{i} c i{i}.tif i{i}_t.tif test g{i}" for i in range(4)]
    source = write_sheet(*rows)
    sheet = tmp_path / "sheet.tsv"
    sheet.write_text(sheet.read_text().replace("g1", cell))
    assert "line 3: cannot be read" in refusal(source)
    sheet.write_text(sheet.read_text().replace("g3", 'slide 5"'))
    message = refusal(source)
    assert "line 3" in message
    assert "quotation mark" in message


def test_quoted_cells_and_notes_of_several_lines_are_read(write_sheet, tmp_path):
    header = "field channel input target split note"
    source = write_sheet("a c i.tif i_t.tif test X", "b c j.tif j_t.tif test Y", header=header)
    sheet = tmp_path / "sheet.tsv"
    sheet.write_text(sheet.read_text().replace("X", '"5"" slide\nsecond line"'))
    assert [(field.name, field.row) for field in fields_of(source)] == [("a", 2), ("b", 4)]


def test_empty_columns_and_rows_of_a_spreadsheet_are_passed_over(write_sheet, tmp_path):
    source = write_sheet("a c i.tif i_t.tif test .", "b c j.tif j_t.tif tset .")
    sheet = tmp_path / "sheet.tsv"
    header, first, second = sheet.read_text().splitlines()
    lines = [f"{header}\t\t", f"{first}\t\t\t\t", "\t" * 9, "", second]
    sheet.write_text("\n".join(lines) + "\n")
    assert "line 5: split is 'tset'" in refusal(source)


def test_the_same_field_in_two_channels_is_two_fields(write_sheet):
    fields = fields_of(write_sheet("a x ix.tif ix_t.tif test .", "a y iy.tif iy_t.tif test ."))
    assert [(f.name, f.channel) for f in fields] == [("a", "x"), ("a", "y")]


def test_blank_lines_do_not_shift_the_line_that_is_named(write_sheet, tmp_path):
    source = write_sheet("a c i.tif i_t.tif test .", "b c j.tif j_t.tif tset .")
    sheet = tmp_path / "sheet.tsv"
    header, first, second = sheet.read_text().splitlines()
    sheet.write_text("\n".join([header, "", first, "", "", second]) + "\n")
    assert "line 6: split is 'tset'" in refusal(source)


@pytest.mark.parametrize(
    "column", ["input_pixel_size_nm", "target_pixel_size_nm", "input_z_step_nm"]
)
@pytest.mark.parametrize("value", ["0", "-30", "30nm", "nan", "inf", "30,5"])
def test_a_pixel_size_that_is_no_positive_number_is_refused(write_sheet, column, value):
    header = f"field channel input target split {column}"
    message = refusal(write_sheet(f"a c i.tif i_t.tif test {value}", header=header))
    assert f"line 2: {column} is '{value}'" in message
    assert "positive number of nm" in message


@pytest.mark.parametrize(("role", "name"), [("input", "i.tif"), ("target", "i_t.tif")])
def test_a_missing_file_is_named(write_sheet, tmp_path, role, name):
    source = write_sheet("a c i.tif i_t.tif test .")
    (tmp_path / name).unlink()
    message = refusal(source)
    assert f"line 2: {role} {tmp_path / name} does not exist" in message


@pytest.mark.parametrize("column", ["field", "channel", "input"])
def test_a_missing_column_is_named(write_sheet, column):
    header = " ".join(name for name in ("field", "channel", "input", "target") if name != column)
    message = refusal(write_sheet("a b c", header=header, make_files=False))
    assert f"has no column {column!r}" in message
    assert "tabs" in message


def test_an_unknown_column_is_named_with_the_known_ones(write_sheet):
    message = refusal(write_sheet("a c i.tif i_t.tif x", header="field channel input target spilt"))
    assert "unknown column 'spilt'" in message
    assert "split" in message


def test_commas_instead_of_tabs_are_explained(write_sheet, tmp_path):
    source = write_sheet("a c i.tif i_t.tif test .")
    sheet = tmp_path / "sheet.tsv"
    sheet.write_text(sheet.read_text().replace("\t", ","))
    assert "separated by tabs" in refusal(source)


def test_a_sheet_of_another_encoding_is_refused(write_sheet, tmp_path):
    source = write_sheet("a c i.tif i_t.tif test .")
    sheet = tmp_path / "sheet.tsv"
    # "Unicode text" of Excel
    sheet.write_text(sheet.read_text(), encoding="utf-16")
    assert "UTF-8" in refusal(source)


def test_a_sheet_without_rows_is_refused(write_sheet):
    assert "no rows" in refusal(write_sheet())


def test_an_empty_sheet_is_refused(write_sheet, tmp_path):
    source = write_sheet()
    (tmp_path / "sheet.tsv").write_text("")
    assert "has no column 'field' (found: none)" in refusal(source)


@pytest.mark.parametrize("key", ["sheet", "data_root"])
def test_a_missing_sheet_or_folder_is_named(write_sheet, tmp_path, key):
    source = {**write_sheet("a c i.tif i_t.tif test ."), key: str(tmp_path / "nowhere")}
    message = refusal(source)
    assert f"source.{key}" in message
    assert "nowhere" in message


def test_a_group_in_two_splits_is_refused(write_sheet):
    message = refusal(
        write_sheet("a c i.tif i_t.tif train slide1", "b c j.tif j_t.tif test slide1")
    )
    assert "line 3: group 'slide1' is in the train split above and in test here" in message


def test_fields_of_a_group_are_assigned_together(write_sheet):
    rows = [
        f"f{i} c{j} i{i}_{j}.tif i{i}_{j}_t.tif . day{i // 3}" for i in range(30) for j in range(2)
    ]
    fields = fields_of(write_sheet(*rows))
    splits = {}
    for field in fields:
        splits.setdefault(int(field.name[1:]) // 3, set()).add(field.split)
    assert all(len(found) == 1 for found in splits.values())
    assert set.union(*splits.values()) == set(SPLITS)


def test_a_field_without_a_group_is_one_of_its_own_over_all_channels(write_sheet):
    rows = [f"f{i} c{j} i{i}_{j}.tif i{i}_{j}_t.tif . ." for i in range(20) for j in range(3)]
    fields = fields_of(write_sheet(*rows))
    for name in {field.name for field in fields}:
        assert len({field.split for field in fields if field.name == name}) == 1


@pytest.mark.parametrize(
    ("count", "expected"), [(10, (6, 2, 2)), (50, (30, 10, 10)), (5, (3, 1, 1))]
)
def test_groups_are_shared_out_as_the_fractions_say(write_sheet, count, expected):
    rows = [f"f{i} c i{i}.tif i{i}_t.tif . ." for i in range(count)]
    found = [field.split for field in fields_of(write_sheet(*rows))]
    assert tuple(found.count(split) for split in SPLITS) == expected


def test_fractions_need_not_sum_to_one(write_sheet):
    source = write_sheet(*(f"f{i} c i{i}.tif i{i}_t.tif . ." for i in range(10)))
    source["split_fractions"] = {"train": 0.3, "validation": 0.1, "test": 0.1}
    found = [field.split for field in fields_of(source)]
    assert tuple(found.count(split) for split in SPLITS) == (6, 2, 2)


def test_the_order_of_the_rows_does_not_matter(write_sheet):
    rows = [f"f{i} c i{i}.tif i{i}_t.tif . g{i // 2}" for i in range(20)]
    forward, backward = (fields_of(write_sheet(*order)) for order in (rows, rows[::-1]))
    assert forward == backward
    assert [field.row for field in forward] != [field.row for field in backward]


def test_fields_join_the_split_that_their_group_was_given(write_sheet):
    fields = fields_of(write_sheet("a c i.tif i_t.tif test slide1", "b c j.tif j_t.tif . slide1"))
    assert [field.split for field in fields] == ["test", "test"]


def test_splits_that_are_given_are_kept(write_sheet):
    rows = [f"f{i} c i{i}.tif i{i}_t.tif {split} ." for i, split in enumerate((*SPLITS, "apply"))]
    assert [field.split for field in fields_of(write_sheet(*rows))] == [*SPLITS, "apply"]


CUT = {"rows": 2, "columns": {"train": 2, "validation": 1, "test": 1}, "guard_px": 8}


def test_a_cut_image_gives_a_field_for_every_window(write_sheet, tmp_path):
    fields = fields_of({**write_sheet("a c i.tif i_t.tif . ."), "cut": CUT})
    assert [field.cut_index for field in fields] == list(range(8))
    assert [field.split for field in fields] == ["train", "train", "validation", "test"] * 2
    assert len({field.name for field in fields}) == 8
    assert {field.input.path for field in fields} == {str(tmp_path / "i.tif")}


def test_a_split_beside_a_cut_is_refused(write_sheet):
    message = refusal({**write_sheet("a c i.tif i_t.tif test ."), "cut": CUT})
    assert "line 2: split is given, but source.cut assigns it" in message
