from datetime import date
from pathlib import Path

import pytest

from crossres.experiments import load_config, new_folder, new_images, new_models, skipped_files
from crossres.experiments.new_images import image_name
from crossres.jobs import InputError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of images, in the folder above it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "day1").mkdir()
    for name in ("b.tif", "a.ome.tif", "C.TIFF", "notes.txt", ".hidden.tif", "scan.nd2"):
        (tmp_path / "day1" / name).touch()
    (tmp_path / "day1" / "old.tif").mkdir()
    return tmp_path / "day1"


def asked(images=None, model=None, restored=None):
    return {"images": images, "model": model, "restored": restored}


def names(images, **more):
    return [path.name for path in new_images(asked(images, **more))]


def test_a_folder_gives_its_images_and_files_that_should_be(folder):
    assert names("day1") == ["C.TIFF", "a.ome.tif", "b.tif", "scan.nd2"]
    assert names(str(folder)) == ["C.TIFF", "a.ome.tif", "b.tif", "scan.nd2"]


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        ("day1/b.tif", ["b.tif"]),
        ("day1/*.tif", ["a.ome.tif", "b.tif"]),
        ("day1/[ab]*", ["a.ome.tif", "b.tif"]),
        ("day1/b.tif, day1/a.ome.tif", ["b.tif", "a.ome.tif"]),
        (["day1/b.tif", "day1/*.tif"], ["b.tif", "a.ome.tif"]),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_file_a_pattern_or_several_of_them(images, expected):
    found = [name for name in names(images) if name != ".hidden.tif"]
    assert found == expected


def test_a_name_with_a_comma_is_one_file(folder):
    (folder / "x, y.tif").touch()
    assert names("day1/x, y.tif") == ["x, y.tif"]


@pytest.mark.parametrize(
    "images",
    ["day [1]", "day [1]/*.tif", "day [1]/x[1].tif", "day [1]/x*,day [1]/*.tif", ["day [1]/*.tif"]],
)
def test_what_is_there_as_it_is_written_is_no_pattern(folder, images):
    for name in ("day [1]", "day 1"):
        (folder.parent / name).mkdir()
        (folder.parent / name / "x[1].tif").touch()
    assert [str(path) for path in new_images(asked(images))] == ["day [1]/x[1].tif"]


@pytest.mark.parametrize("pattern", ["a, b/*.tif", "a, b", "a, b/x.tif,a, b/*.tif"])
def test_a_folder_with_a_comma_is_one_folder(folder, pattern):
    (folder.parent / "a, b").mkdir()
    (folder.parent / "a, b" / "x.tif").touch()
    assert names(pattern) == ["x.tif"]


def test_files_that_are_no_images_are_told(folder):
    assert skipped_files(asked("day1")) == [Path("day1/notes.txt")]
    assert skipped_files(asked("day1/*.tif")) == []
    assert skipped_files(asked()) == []


@pytest.mark.parametrize("ending", ["btf", "tf8", "tf2", "ome.btf", "OME.TF8"])
def test_large_tiffs_are_images(tmp_path, ending):
    (tmp_path / f"a.{ending}").touch()
    assert names(str(tmp_path)) == [f"a.{ending}"]
    assert image_name(Path(f"a.{ending}")) == "a"


def test_the_home_of_the_user_is_understood(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "m.safetensors").touch()
    (tmp_path / "a.tif").touch()
    found = asked("~/*.tif", model="~/m.safetensors", restored="~/out")
    assert new_models(found) == [tmp_path / "m.safetensors"]
    assert new_images(found) == [tmp_path / "a.tif"]
    assert new_folder(found) == tmp_path / "out"


@pytest.mark.parametrize("images", ["day2", "day1/z*.tif", "day1/z.tif"])
@pytest.mark.usefixtures("folder")
def test_what_names_nothing_is_refused(images):
    with pytest.raises(InputError, match="is no folder, no file, and no pattern of any file"):
        new_images(asked(images))


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"holds no TIFF file \(.tif, .tiff\)"):
        new_images(asked(str(tmp_path)))


@pytest.mark.parametrize("key", ["images", "model"])
def test_what_is_missing_is_asked_for_with_an_example(key):
    with pytest.raises(InputError, match=rf"{key} is missing: .*`snakemake restore_new --config"):
        (new_images if key == "images" else new_models)(asked())


def test_two_images_of_one_name_are_refused(folder):
    (folder / "b.ome.tif").touch()
    with pytest.raises(InputError, match=r"b.ome.tif and .*b.tif would both be restored to b.ome"):
        new_images(asked("day1"))


def test_a_format_that_is_not_restored_claims_no_name(folder):
    (folder / "b.czi").touch()
    assert {"b.czi", "b.tif"} <= set(names("day1"))


@pytest.mark.usefixtures("folder")
def test_results_do_not_go_among_the_images():
    with pytest.raises(InputError, match="restored: day1 holds the images themselves"):
        new_images(asked("day1/b.tif", restored="day1"))


def test_models_are_files(tmp_path):
    (tmp_path / "a.safetensors").touch()
    model = str(tmp_path / "a.safetensors")
    assert new_models(asked(model=model)) == [Path(model)]
    with pytest.raises(InputError, match=r"model: there is no file gone.safetensors"):
        new_models(asked(model=f"{model},gone.safetensors"))


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("results/beads/red/models/gan/seed_0/model.safetensors", "beads_red_gan_seed_0"),
        ("/data/results/beads/red/models/gan/seed_0/model.safetensors", "beads_red_gan_seed_0"),
        ("model.safetensors", "model"),
        ("shared/microtubules.safetensors", "microtubules"),
        ("a {x}.safetensors", "a _x_"),
        (["a/one.safetensors", "a/two.safetensors", "a/six.safetensors"], "one_and_2_more"),
    ],
)
def test_results_are_named_after_the_model(model, expected):
    assert new_folder(asked(model=model)) == Path("results/restored_new") / expected


def test_results_go_where_they_are_wanted():
    assert new_folder(asked(model="a.safetensors", restored="out/here")) == Path("out/here")


def test_results_do_not_go_to_a_folder_that_snakemake_takes_for_a_pattern():
    with pytest.raises(InputError, match=r"restored: out\{x\} has braces, .*; name a folder with"):
        new_folder(asked(model="a.safetensors", restored="out{x}"))


@pytest.mark.parametrize(
    ("file", "name"),
    [("a.tif", "a"), ("a.OME.TIF", "a"), ("a.b.tiff", "a.b"), ("a.nd2", "a"), ("a.ome.tiff", "a")],
)
def test_an_image_bears_the_name_of_its_file(file, name):
    assert image_name(Path("day1") / file) == name


@pytest.mark.parametrize(
    ("given", "expected"), [("true", True), ("false", False), (True, True), (False, False)]
)
def test_true_and_false_of_the_command_line_are_understood(given, expected):
    # as Snakemake hands on `--config self_ensemble=true`
    config = load_config({"experiments": ["beads"], "self_ensemble": given})
    assert config["self_ensemble"] is expected


def test_another_word_is_no_truth():
    with pytest.raises(InputError, match="self_ensemble"):
        load_config({"experiments": ["beads"], "self_ensemble": "perhaps"})


@pytest.mark.parametrize(
    ("given", "expected"),
    [(20240115, "20240115"), (2024.5, "2024.5"), (date(2024, 1, 15), "2024-01-15"),
     ([7, "day8"], ["7", "day8"]), ("day1", "day1"), (None, None)],
)  # fmt: skip
def test_a_name_that_yaml_takes_for_a_number_is_a_name(given, expected):
    config = load_config({"experiments": ["beads"], "images": given})
    assert config["images"] == expected


def test_a_number_stays_one_where_one_is_wanted():
    config = load_config({"experiments": ["beads"], "channel": 2, "pixel_size_nm": 65})
    assert (config["channel"], config["pixel_size_nm"]) == (2, 65)
