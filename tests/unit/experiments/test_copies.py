"""What was trained on is no test, under whatever name."""

import shutil

import pytest

from crossres.experiments import require_no_copies
from crossres.jobs import InputError

SPLITS = ("train", "train", "validation", "test")


@pytest.fixture
def load_pairs(settings, load, write_sheet, tmp_path):
    """Load four pairs after something was done to their files."""

    def load_after(change, **source):
        rows = [f"f{n} c i{n}.tif t{n}.tif {split} ." for n, split in enumerate(SPLITS)]
        given = write_sheet(*rows)
        for n in range(4):
            for role in "it":
                content = f"{role}{n} counts of a field".encode() * 1000
                (tmp_path / f"{role}{n}.tif").write_bytes(content)
        change(tmp_path)
        settings["source"] = {"sheet": given["sheet"], "data_root": str(tmp_path), **source}
        return load(settings)

    return load_after


def test_files_of_one_size_are_no_copies(load_pairs):
    require_no_copies({"a": load_pairs(lambda folder: None)})


@pytest.mark.parametrize("role", "it")
@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_copy_of_a_training_file_in_another_split_is_refused(load_pairs, role, split):
    number = SPLITS.index(split)
    experiment = load_pairs(
        lambda folder: shutil.copy(folder / f"{role}1.tif", folder / f"{role}{number}.tif")
    )
    with pytest.raises(InputError) as fault:
        require_no_copies({"a": experiment})
    message = str(fault.value)
    assert f"line {number + 2}: " in message
    assert f"{role}{number}.tif ({split}) is a copy of " in message
    assert f"{role}1.tif of line 3 (train)" in message


def test_a_copy_within_a_split_is_let_pass(load_pairs):
    experiment = load_pairs(lambda folder: shutil.copy(folder / "i0.tif", folder / "i1.tif"))
    require_no_copies({"a": experiment})


def test_files_that_differ_anywhere_are_no_copies(load_pairs):
    def change(folder):
        content = bytearray((folder / "i0.tif").read_bytes())
        content[3] ^= 1
        (folder / "i3.tif").write_bytes(content)

    require_no_copies({"a": load_pairs(change)})


def test_empty_images_are_no_copies(load_pairs):
    def change(folder):
        for name in ("i0.tif", "i3.tif"):
            (folder / name).write_bytes(bytes(20000))

    require_no_copies({"a": load_pairs(change)})
