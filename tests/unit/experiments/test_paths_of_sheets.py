"""Where a sheet and its images are looked for: beside the file that names them first."""

from pathlib import Path

import pytest

from crossres.experiments import load_experiments
from crossres.jobs import InputError
from crossres.settings import Config

HEADER = "field\tchannel\tinput\ttarget\tsplit\n"
SPLITS = ("train", "validation", "test")


def write_data(folder, name="pairs.tsv", images="data"):
    """Write a sheet of three pairs, and the images that it lists in a folder beside it."""
    (folder / images).mkdir(parents=True, exist_ok=True)
    rows = []
    for split in SPLITS:
        for role in ("input", "target"):
            (folder / images / f"{split}_{role}.tif").write_text(f"{folder} {split} {role}")
        rows.append(f"{split}\tc\t{split}_input.tif\t{split}_target.tif\t{split}\n")
    (folder / name).write_text(HEADER + "".join(rows))


@pytest.fixture
def inputs(settings, write_experiment, tmp_path, monkeypatch):
    """Load the experiment from a folder that holds nothing, and return its input files."""
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")

    def files_of(**source):
        settings["source"] = source
        folder = write_experiment(settings)
        config = Config(experiments=[str(folder / "beads.yaml")], scale="paper")
        fields = load_experiments(config, tmp_path / "nowhere")["beads"].fields
        return {Path(field.input.path).resolve().parent for field in fields}

    return files_of


def test_a_sheet_and_its_images_beside_the_file_are_found_from_anywhere(inputs, tmp_path):
    write_data(tmp_path / "experiments")
    assert inputs(sheet="pairs.tsv", data_root="data") == {tmp_path / "experiments" / "data"}


def test_what_does_not_lie_beside_the_file_is_looked_for_where_snakemake_runs(inputs, tmp_path):
    write_data(tmp_path / "cwd")
    assert inputs(sheet="pairs.tsv", data_root="data") == {tmp_path / "cwd" / "data"}


def test_beside_the_file_comes_first(inputs, tmp_path):
    write_data(tmp_path / "experiments")
    write_data(tmp_path / "cwd")
    assert inputs(sheet="pairs.tsv", data_root="data") == {tmp_path / "experiments" / "data"}


def test_each_is_looked_for_by_itself(inputs, tmp_path):
    write_data(tmp_path / "experiments", images="sheet_alone")
    write_data(tmp_path / "cwd")
    assert inputs(sheet="pairs.tsv", data_root="data") == {tmp_path / "cwd" / "data"}


@pytest.mark.parametrize("place", ["experiments", "cwd"])
def test_images_lie_beside_their_sheet_unless_another_folder_is_named(inputs, tmp_path, place):
    write_data(tmp_path / place, images=".")
    assert inputs(sheet="pairs.tsv") == {tmp_path / place}


def test_a_path_from_the_root_is_taken_as_it_is(inputs, tmp_path):
    write_data(tmp_path / "far")
    source = {"sheet": str(tmp_path / "far" / "pairs.tsv"), "data_root": str(tmp_path / "far/data")}
    assert inputs(**source) == {tmp_path / "far" / "data"}


def test_the_home_folder_may_be_written_short(inputs, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    write_data(tmp_path / "home")
    assert inputs(sheet="~/pairs.tsv", data_root="~/data") == {tmp_path / "home" / "data"}


def test_a_sheet_that_is_nowhere_is_named(inputs):
    with pytest.raises(InputError, match=r"source\.sheet: .*gone\.tsv does not exist"):
        inputs(sheet="gone.tsv", data_root=".")
