"""Paths in an experiment's file: beside the file that names them, else where Snakemake runs."""

from pathlib import Path

import pytest
import yaml

from crossres.settings import load_config, load_experiment_settings
from crossres.settings.experiment_files import find_experiment


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Where Snakemake runs: a folder with a folder of experiments in it."""
    (tmp_path / "experiments").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def source_of(settings, here):
    def source_of_file(path="experiments/mine.yaml", **source):
        values = {**settings, "source": source}
        if "based_on" in source:
            values = {"based_on": source.pop("based_on"), "source": source}
        Path(path).write_text(yaml.safe_dump(values))
        return load_experiment_settings(path, "paper", Path("experiments")).source

    return source_of_file


def test_a_sheet_beside_the_file_comes_first(here, source_of):
    Path("pairs.tsv").touch()
    assert source_of(sheet="pairs.tsv").sheet == "pairs.tsv"
    Path("experiments/pairs.tsv").touch()
    assert source_of(sheet="pairs.tsv").sheet == "experiments/pairs.tsv"


def test_a_folder_beside_the_file_comes_first(here, source_of):
    Path("images").mkdir()
    assert source_of(sheet="a.tsv", data_root="images").images_folder == Path("images")
    Path("experiments/images").mkdir()
    found = source_of(sheet="a.tsv", data_root="images").images_folder
    assert found == Path("experiments/images")


def test_a_dot_is_the_folder_of_the_file(source_of):
    assert source_of(sheet="a.tsv", data_root=".").images_folder == Path("experiments")


def test_without_a_folder_paths_are_relative_to_the_sheet(here, source_of):
    Path("sheets").mkdir()
    Path("sheets/a.tsv").touch()
    assert source_of(sheet="sheets/a.tsv").images_folder == Path("sheets")


def test_what_is_nowhere_stays_as_it_was_written(source_of):
    source = source_of(sheet="nowhere.tsv", data_root="none")
    assert (source.sheet, source.data_root) == ("nowhere.tsv", "none")


def test_the_file_that_names_a_path_counts_not_the_one_based_on_it(here, source_of):
    Path("experiments/pairs.tsv").touch()
    source_of("experiments/base.yaml", sheet="pairs.tsv")
    found = source_of("mine.yaml", based_on="base", data_root=".")
    assert found.sheet == "experiments/pairs.tsv"
    assert found.images_folder == Path()


def test_a_tilde_is_the_home(here, source_of, monkeypatch, settings):
    monkeypatch.setenv("HOME", str(here / "home"))
    (here / "home").mkdir()
    (here / "home" / "mine.yaml").write_text(yaml.safe_dump(settings))
    assert source_of(sheet="~/a.tsv").sheet == str(here / "home" / "a.tsv")
    (name,) = load_config({"experiments": "~/mine.yaml"}).experiments
    assert find_experiment(name, [Path("experiments")]) == here / "home" / "mine.yaml"


def test_a_model_to_begin_from_is_looked_for_likewise(settings, here):
    settings["networks"]["cnn"]["initialise_from"] = "old.safetensors"
    settings["networks"]["gan"] = {"iterations": 3, "initialise_from": "beads"}
    Path("experiments/old.safetensors").touch()
    Path("experiments/beads").mkdir()
    Path("experiments/mine.yaml").write_text(yaml.safe_dump(settings))
    networks = load_experiment_settings("mine", "paper", Path("experiments")).networks
    assert networks.cnn.initialise_from == "experiments/old.safetensors"
    # the name of an experiment is no path
    assert networks.gan.initialise_from == "beads"
