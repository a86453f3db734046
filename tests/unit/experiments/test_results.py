"""What a channel ends in: which tables, of which parts, and what figures are drawn from."""

import pytest

from crossres.catalogue.figures import FIGURES
from crossres.experiments import ChannelResults

SPLITS = ("train", "validation", "test")
CHANNEL = "results/beads/beads"


@pytest.fixture
def results(settings, load):
    """Of the simulated experiment, two fields a batch: 3 + 1 + 2 batches."""
    settings["networks"] = {"cnn": {"iterations": 10, "seeds": [3, 5]}}
    settings["deconvolution"] = {"nnls": {}}
    settings["measure"] = {"spots": {}}
    return ChannelResults(load(settings), "beads")


@pytest.fixture
def measured(settings, load, write_sheet):
    """Of a sheet's images, with nothing to restore them by unless it is given."""

    def of_sheet(**changes):
        source = write_sheet(*(f"{s} c {s}.tif {s}_t.tif {s} ." for s in SPLITS))
        del source["split_fractions"]
        changed = {**settings, "networks": {}, "source": source, **changes}
        return ChannelResults(load(changed), "c")

    return of_sheet


def test_a_path_of_the_layout_in_the_channel(results):
    folder = "results/{experiment}/{channel}/restored/{restoration}"
    assert results.path(folder, restoration="cnn") == f"{CHANNEL}/restored/cnn"


def test_tables_of_what_is_restored_and_simulated(results):
    names = ("registration", "registration_error", "metrics", "structures")
    assert results.tables == {name: f"{CHANNEL}/{name}.csv" for name in names}


def test_measured_images_have_no_truth_to_be_compared_with(measured):
    assert list(measured().tables) == ["registration"]
    assert list(measured(deconvolution={"nnls": {}}).tables) == [
        "registration",
        "metrics",
        "structures",
    ]


@pytest.mark.parametrize("table", ["registration", "registration_error"])
def test_pairs_are_measured_batch_by_batch_over_all_splits(results, table):
    batches = ["train_000", "train_001", "train_002", "validation_000", "test_000", "test_001"]
    assert results.parts_of(table) == [(f"{CHANNEL}/{table}/{b}.csv", None) for b in batches]


@pytest.mark.parametrize("table", ["metrics", "structures"])
def test_every_restoration_is_measured_batch_by_batch_of_the_blind_test(results, table):
    parts = results.parts_of(table)
    names = ["input", "target", "truth", "nnls", "cnn", "cnn.seed_5"]
    assert [path for path, _ in parts] == [
        f"{CHANNEL}/measured/{name}/{batch}.{table}.csv"
        for name in names
        for batch in ("test_000", "test_001")
    ]
    assert [one.name for _, one in parts[::2]] == names
    assert [(one.method, one.seed) for _, one in parts[8::2]] == [("cnn", 3), ("cnn", 5)]


def test_what_all_asks_for(results):
    restored = [f"{CHANNEL}/restored/{name}" for name in ("nnls", "cnn", "cnn.seed_5")]
    assert results.restored == restored
    assert results.packages == [
        f"{CHANNEL}/models/cnn/seed_{seed}/model.bioimageio.zip" for seed in (3, 5)
    ]


def test_without_anything_to_restore_nothing_is_asked_for_but_the_registration(measured):
    results = measured()
    assert (results.restored, results.packages, results.parameters) == ([], [], {})
    assert results.files_of_summary == ["results/beads/c/registration.csv"]


def test_a_figure_is_drawn_from_what_it_needs(results):
    for name, figure in FIGURES.items():
        inputs = results.inputs_of_figure(name)
        assert set(inputs) == set(figure.needs)
        for need, found in inputs.items():
            # a table is one file; of the rest there may be any number
            assert isinstance(found, str) == (need in ("registration", "metrics", "structures"))
            paths = [found] if isinstance(found, str) else found
            assert all(path.startswith(CHANNEL) for path in paths)


def test_images_that_figures_show_are_those_of_a_restoration_a_method(results):
    folders = [
        f"{CHANNEL}/restored_batches/{name}/{batch}"
        for name in ("nnls", "cnn")
        for batch in ("test_000", "test_001")
    ]
    assert results.inputs_of_figure("examples")["restored"] == folders
    assert [folder for one in results.shown for folder in one["folders"]] == folders
    assert [(one["name"], one["method"], one["seed"]) for one in results.shown] == [
        ("nnls", "nnls", None),
        ("cnn", "cnn", 3),
    ]


def test_the_registration_of_measured_images_is_drawn_without_a_truth(measured, results):
    assert measured().inputs_of_figure("registration")["registration_error"] == []
    error = results.inputs_of_figure("registration")["registration_error"]
    assert error == [f"{CHANNEL}/registration_error.csv"]


def test_trainings_are_listed_with_their_seeds(results):
    assert results.trainings == [
        {"name": f"cnn, seed {s}", "path": f"{CHANNEL}/models/cnn/seed_{s}/history.csv"}
        for s in (3, 5)
    ]


def test_claims_and_summary_read_no_file_that_is_not_asked_for(results):
    def paths_in(value):
        if isinstance(value, dict):
            return {path for part in value.values() for path in paths_in(part)}
        if isinstance(value, list):
            return {path for part in value for path in paths_in(part)}
        return {value} if isinstance(value, str) and value.startswith("results/") else set()

    assert paths_in(results.evidence) <= set(results.files_of_evidence)
    assert paths_in(results.summary) <= set(results.files_of_summary)
    assert results.summary["data"] == "simulated"
    assert not [path for path in results.files_of_evidence if "/truth/" in path]
