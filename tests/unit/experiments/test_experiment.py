import pytest

from crossres.experiments import Experiment, Field, load_experiments
from crossres.jobs import InputError


def config(*names, **changes):
    return {"experiments": list(names), "scale": "paper", "fields_per_job": 2, **changes}


@pytest.fixture
def beads(settings, write_experiment):
    settings["networks"] = {"cnn": {"iterations": 10, "seeds": [3, 5]}}
    settings["deconvolution"] = {"nnls": {}, "richardson_lucy": {}}
    return load_experiments(config("beads"), write_experiment(settings))["beads"]


def test_a_simulated_experiment_has_the_fields_asked(beads):
    assert beads.simulated
    assert beads.channels == ["beads"]
    found = [len(beads.in_split("beads", split)) for split in ("train", "validation", "test")]
    assert found == [5, 2, 3]
    assert len({field.name for field in beads.fields}) == 10


def test_batches_hold_every_field_of_a_split_once_and_in_order(beads):
    names = beads.batches("beads", "train", "test")
    # five and three fields, two a job
    assert names == ["train_000", "train_001", "train_002", "test_000", "test_001"]
    parts = [beads.in_batch("beads", name) for name in names]
    assert [len(part) for part in parts] == [2, 2, 1, 2, 1]
    assert [field for part in parts for field in part] == beads.in_split("beads", "train", "test")


def test_an_empty_split_has_no_batches(beads):
    assert beads.batches("beads", "apply") == []


def test_restorations_are_the_baselines_and_every_seed(beads):
    assert beads.restorations() == [
        ("richardson_lucy", "richardson_lucy", None),
        ("nnls", "nnls", None),
        ("cnn", "cnn", 3),
        ("cnn.seed_5", "cnn", 5),
    ]


def test_the_mean_over_all_seeds_is_a_method_of_its_own(settings, write_experiment):
    settings["networks"] = {
        "cnn": {"iterations": 10, "seeds": [3, 5]},
        "rcan": {"iterations": 10},
    }
    settings["deconvolution"] = {}
    settings["restoration"] = {"seed_ensemble": True}
    beads = load_experiments(config("beads"), write_experiment(settings))["beads"]
    assert beads.restorations() == [
        ("cnn", "cnn", 3),
        ("cnn.seed_5", "cnn", 5),
        ("cnn_ensemble", "cnn_ensemble", None),
        # one seed alone has no spread
        ("rcan", "rcan", 0),
    ]


def test_channels_keep_the_order_of_the_sheet_and_their_fields_apart():
    fields = [Field(f"{c}{i}", c, "train") for i in range(2) for c in ("gfp", "dapi")]
    experiment = Experiment("two", {"source": {"sheet": "a.tsv"}}, tuple(fields), 50)
    assert experiment.channels == ["gfp", "dapi"]
    assert [f.name for f in experiment.in_split("dapi", "train")] == ["dapi0", "dapi1"]
    assert not experiment.simulated


def test_every_experiment_bears_the_name_of_its_file(settings, write_experiment):
    write_experiment(settings, "one")
    folder = write_experiment(settings, "two")
    assert list(load_experiments(config("one", "two"), folder)) == ["one", "two"]


def test_two_experiments_of_one_name_are_refused(settings, write_experiment):
    folder = write_experiment(settings)
    with pytest.raises(InputError, match="two experiments are called 'beads'"):
        load_experiments(config("beads", str(folder / "beads.yaml")), folder)


@pytest.fixture
def load_from_sheet(settings, write_experiment, write_sheet):
    def load(*rows):
        settings["source"] = {
            key: value for key, value in write_sheet(*rows).items() if key != "split_fractions"
        }
        return load_experiments(config("beads"), write_experiment(settings))["beads"]

    return load


def test_a_sheet_gives_its_fields(load_from_sheet):
    rows = (
        "a c a.tif a_t.tif train .",
        "b c b.tif b_t.tif validation .",
        "d c d.tif d_t.tif test .",
    )
    assert [field.name for field in load_from_sheet(*rows).in_split("c", "validation")] == ["b"]


@pytest.mark.parametrize("empty", ["train", "validation", "test"])
def test_an_empty_split_is_refused(load_from_sheet, empty):
    rows = [f"f{i} c {i}.tif {i}_t.tif {split} ."
            for i, split in enumerate(("train", "validation", "test", "apply"))
            if split != empty]  # fmt: skip
    with pytest.raises(InputError, match=f"beads: the {empty} split of channel 'c' is empty"):
        load_from_sheet(*rows)


def test_a_split_that_is_empty_in_one_channel_only_is_refused(load_from_sheet):
    rows = [f"f{i}{c} {c} {i}{c}.tif {i}{c}_t.tif {split} ."
            for i, split in enumerate(("train", "validation", "test")) for c in ("x", "y")
            if (split, c) != ("validation", "y")]  # fmt: skip
    with pytest.raises(InputError, match="the validation split of channel 'y' is empty"):
        load_from_sheet(*rows)


def test_groups_too_few_for_every_split_are_refused(load_from_sheet):
    with pytest.raises(InputError, match="split of channel 'c' is empty"):
        load_from_sheet(*(f"f{i} c {i}.tif {i}_t.tif . day1" for i in range(9)))
