from pathlib import Path

import pytest

from crossres.jobs import InputError
from crossres.restoration import find_images, find_models, find_skipped, folder_of
from crossres.restoration.new_images import image_name


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of images, in the folder above it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "day1").mkdir()
    for name in ("b.tif", "a.ome.tif", "C.TIFF", "notes.txt", ".hidden.tif", "scan.nd2"):
        (tmp_path / "day1" / name).touch()
    (tmp_path / "day1" / "old.tif").mkdir()
    return tmp_path / "day1"


OUT = Path("out")


def names(*images):
    return [path.name for path in find_images(images, OUT)]


def test_a_folder_gives_its_images_and_files_that_should_be(folder):
    assert names("day1") == ["C.TIFF", "a.ome.tif", "b.tif", "scan.nd2"]
    assert names(str(folder)) == ["C.TIFF", "a.ome.tif", "b.tif", "scan.nd2"]


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (["day1/b.tif"], ["b.tif"]),
        (["day1/*.tif"], ["a.ome.tif", "b.tif"]),
        (["day1/[ab]*"], ["a.ome.tif", "b.tif"]),
        (["day1/b.tif", "day1/a.ome.tif"], ["b.tif", "a.ome.tif"]),
        (["day1/b.tif", "day1/*.tif"], ["b.tif", "a.ome.tif"]),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_file_a_pattern_or_several_of_them(images, expected):
    found = [name for name in names(*images) if name != ".hidden.tif"]
    assert found == expected


@pytest.mark.parametrize("name", ["x, y", "pos{1}", "2024-01-15", "caf\udce9", "true", "-x"])
def test_no_name_is_special(folder, name):
    (folder / f"{name}.tif").touch()
    assert names(f"day1/{name}.tif") == [f"{name}.tif"]
    (folder.parent / name).mkdir()
    (folder.parent / name / "z.tif").touch()
    assert names(name) == ["z.tif"]
    assert names(f"{name}/*.tif") == ["z.tif"]


@pytest.mark.parametrize("images", ["day [1]", "day [1]/*.tif", "day [1]/x[1].tif"])
def test_what_is_there_as_it_is_written_is_no_pattern(folder, images):
    for name in ("day [1]", "day 1"):
        (folder.parent / name).mkdir()
        (folder.parent / name / "x[1].tif").touch()
    assert [str(path) for path in find_images([images], OUT)] == ["day [1]/x[1].tif"]


def test_files_that_are_no_images_are_told(folder):
    assert find_skipped(["day1"]) == [Path("day1/notes.txt")]
    assert find_skipped(["day1/*.tif"]) == []


@pytest.mark.parametrize("ending", ["btf", "tf8", "tf2", "ome.btf", "OME.TF8"])
def test_large_tiffs_are_images(tmp_path, ending):
    (tmp_path / f"a.{ending}").touch()
    assert names(str(tmp_path)) == [f"a.{ending}"]
    assert image_name(Path(f"a.{ending}")) == "a"


def test_the_home_of_the_user_is_understood(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "m.safetensors").touch()
    (tmp_path / "a.tif").touch()
    assert find_models(["~/m.safetensors"]) == [tmp_path / "m.safetensors"]
    assert find_images(["~/*.tif"], OUT) == [tmp_path / "a.tif"]


@pytest.mark.parametrize("images", ["day2", "day1/z*.tif", "day1/z.tif"])
@pytest.mark.usefixtures("folder")
def test_what_names_nothing_is_refused(images):
    with pytest.raises(InputError, match="is no folder, no file, and no pattern of any file"):
        find_images([images], OUT)


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"holds no TIFF file \(.tif, .tiff\)"):
        find_images([str(tmp_path)], OUT)


def test_an_empty_name_is_no_folder():
    with pytest.raises(InputError, match="MODEL is empty"):
        find_models([""])
    with pytest.raises(InputError, match="IMAGES is empty"):
        find_images([" "], OUT)


def test_two_images_of_one_name_are_refused(folder):
    (folder / "b.ome.tif").touch()
    with pytest.raises(InputError, match=r"b.ome.tif and .*b.tif would both be restored to b.ome"):
        names("day1")


def test_a_format_that_is_not_restored_claims_no_name(folder):
    (folder / "b.czi").touch()
    assert {"b.czi", "b.tif"} <= set(names("day1"))


@pytest.mark.usefixtures("folder")
def test_results_do_not_go_among_the_images():
    with pytest.raises(InputError, match="--out: day1 holds the images themselves"):
        find_images(["day1/b.tif"], Path("day1"))


def test_models_are_files(tmp_path):
    (tmp_path / "a.safetensors").touch()
    model = str(tmp_path / "a.safetensors")
    assert find_models([model]) == [Path(model)]
    with pytest.raises(InputError, match=r"there is no model gone.safetensors"):
        find_models([model, "gone.safetensors"])


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        (["results/beads/red/models/gan/seed_0/model.safetensors"], "beads_red_gan_seed_0"),
        (["/data/results/beads/red/models/gan/seed_0/model.safetensors"], "beads_red_gan_seed_0"),
        (["model.safetensors"], "model"),
        (["shared/microtubules.safetensors"], "microtubules"),
        (["a {x}.safetensors"], "a {x}"),
        (["a/one.safetensors", "a/two.safetensors", "a/six.safetensors"], "one_and_2_more"),
    ],
)
def test_results_are_named_after_the_model(models, expected):
    found = folder_of([Path(model) for model in models])
    assert found == Path("results/restored_new") / expected


@pytest.mark.parametrize(
    ("file", "name"),
    [("a.tif", "a"), ("a.OME.TIF", "a"), ("a.b.tiff", "a.b"), ("a.nd2", "a"), ("a.ome.tiff", "a")],
)
def test_an_image_bears_the_name_of_its_file(file, name):
    assert image_name(Path("day1") / file) == name
