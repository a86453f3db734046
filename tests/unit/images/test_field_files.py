import numpy as np
import pandas as pd
import pytest

from crossres.images import Image, field_name, fields_in, load_field, read_field_table, write_image

NAMES = ["01", "1e5", "NA", "12e34", "test_0000"]


@pytest.mark.parametrize("name", NAMES)
def test_a_field_keeps_its_name_through_a_table(tmp_path, name):
    pd.DataFrame({"field": [name], "value": [1.5]}).to_csv(tmp_path / "table.csv", index=False)
    table = read_field_table(tmp_path / "table.csv")
    assert table.field.tolist() == [name]
    assert table.value.tolist() == [1.5]


def test_fields_are_found_sorted_and_named_after_their_files(tmp_path):
    for folder, names in (("b", ["02", "01"]), ("a", ["03"])):
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / f"{name}.ome.tif").touch()
        (tmp_path / folder / ".snakemake_timestamp").touch()
    found = fields_in([tmp_path / "b", tmp_path / "a"])
    assert [field_name(path) for path in found] == ["01", "02", "03"]


@pytest.mark.parametrize(("axes", "slices"), [("YX", ()), ("ZYX", (4,))])
def test_restored_fields_are_cropped_to_show_the_place_of_the_pair(tmp_path, axes, slices):
    shape = (*slices, 20, 24)
    step = 160.0 if slices else None
    whole = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    inner = whole[..., 3:-4, 5:-2]
    roles = ("input", "target")
    pair = Image(np.stack([inner, inner + 1]), f"C{axes}", 30.0, step, roles, (3, 5))
    write_image(tmp_path / "registered" / "f.ome.tif", pair)
    write_image(tmp_path / "gan" / "f.ome.tif", Image(whole, axes, 30.0, step))
    images, size_nm = load_field(tmp_path / "registered" / "f.ome.tif", {"gan": tmp_path / "gan"})
    assert size_nm == 30.0
    np.testing.assert_array_equal(images["gan"], images["input"])
    np.testing.assert_array_equal(images["target"], inner + 1)
