import pytest

from crossres.experiments import Restoration, load_experiments
from crossres.jobs import InputError
from crossres.settings import Config


@pytest.fixture
def beads(settings, load):
    settings["networks"] = {"cnn": {"iterations": 10, "seeds": [3, 5]}}
    settings["deconvolution"] = {"nnls": {}, "richardson_lucy": {}}
    return load(settings)


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
    assert beads.restorations == [
        Restoration("richardson_lucy", "richardson_lucy"),
        Restoration("nnls", "nnls"),
        Restoration("cnn", "cnn", 3, "cnn", (3,)),
        Restoration("cnn.seed_5", "cnn", 5, "cnn", (5,)),
    ]
    assert [beads.restoration(one.name) for one in beads.restorations] == beads.restorations


def test_figures_show_a_restoration_a_method(beads):
    assert [one.name for one in beads.shown] == ["richardson_lucy", "nnls", "cnn"]


def test_input_target_and_truth_are_measured_beside_the_restorations(beads):
    names = [one.name for one in beads.measured]
    assert names[:3] == ["input", "target", "truth"]
    assert names[3:] == [one.name for one in beads.restorations]


def test_the_mean_over_all_seeds_is_a_method_of_its_own(settings, load):
    settings["networks"] = {
        "cnn": {"iterations": 10, "seeds": [3, 5]},
        "rcan": {"iterations": 10},
    }
    settings["deconvolution"] = {}
    settings["restoration"] = {"seed_ensemble": True}
    assert load(settings).restorations == [
        Restoration("cnn", "cnn", 3, "cnn", (3,)),
        Restoration("cnn.seed_5", "cnn", 5, "cnn", (5,)),
        Restoration("cnn_ensemble", "cnn_ensemble", None, "cnn", (3, 5)),
        # one seed alone has no spread
        Restoration("rcan", "rcan", 0, "rcan", (0,)),
    ]


def test_what_has_a_discriminator_is_blended_with_the_cnn(settings, load):
    settings["networks"] = {
        "cnn": {"iterations": 10, "seeds": [3, 5]},
        "gan": {"iterations": 10, "seeds": [1]},
        "tcan": {"iterations": 10, "adversarial": None},
    }
    settings["deconvolution"] = {}
    settings["restoration"] = {"blend": 0.4}
    found = {one.name: one for one in load(settings).restorations}
    assert list(found) == ["cnn", "cnn.seed_5", "gan", "gan_blend", "tcan"]
    blend = Restoration("gan_blend", "gan_blend", None, "gan", (1,), ("cnn", 3), 0.4)
    assert found["gan_blend"] == blend
    assert blend.models == [("gan", 1), ("cnn", 3)]
    assert blend.networks == ["gan", "cnn"]
    assert found["gan"].models == [("gan", 1)]


@pytest.mark.parametrize("networks", [{"cnn": {"iterations": 10}}, {"gan": {"iterations": 10}}])
def test_a_blend_of_one_alone_is_refused(settings, load, networks):
    settings["networks"], settings["restoration"] = networks, {"blend": 0.4}
    with pytest.raises(InputError, match=r"restoration\.blend.*train both"):
        load(settings)


def test_every_experiment_bears_the_name_of_its_file(settings, write_experiment):
    write_experiment(settings, "one")
    folder = write_experiment(settings, "two")
    config = Config(experiments=["one", "two"])
    assert list(load_experiments(config, folder)) == ["one", "two"]


def test_two_experiments_of_one_name_are_refused(settings, write_experiment):
    folder = write_experiment(settings)
    config = Config(experiments=["beads", str(folder / "beads.yaml")])
    with pytest.raises(InputError, match="two experiments are called 'beads'"):
        load_experiments(config, folder)


@pytest.fixture
def load_from_sheet(settings, load, write_sheet):
    def load_rows(*rows):
        source = write_sheet(*rows)
        del source["split_fractions"]
        return load({**settings, "source": source})

    return load_rows


def test_channels_keep_their_fields_apart(load_from_sheet):
    rows = [
        f"f{i}{n} {c} {c}{i}{n}.tif {c}{i}{n}_t.tif {split} ."
        for n in (1, 0)
        for c in ("gfp", "dapi")
        for i, split in enumerate(("train", "validation", "test"))
    ]
    experiment = load_from_sheet(*rows)
    assert experiment.channels == ["dapi", "gfp"]
    assert [f.name for f in experiment.in_split("dapi", "train")] == ["f00", "f01"]
    assert {f.channel for f in experiment.in_split("dapi", "train")} == {"dapi"}
    assert not experiment.simulated


def test_measured_images_have_no_truth_to_measure(load_from_sheet):
    rows = [f"f{i} c {i}.tif {i}_t.tif {split} ."
            for i, split in enumerate(("train", "validation", "test"))]  # fmt: skip
    assert [one.name for one in load_from_sheet(*rows).measured] == ["input", "target", "cnn"]


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


def test_simulated_fields_are_numbered_in_their_split_whatever_the_batches(settings, load):
    by_size = {}
    for size in (1, 2, 50):
        beads = load(settings, fields_per_job=size)
        batches = beads.batches("beads", "train", "validation", "test")
        by_size[size] = [one for name in batches for one in beads.numbered("beads", name)]
    assert by_size[1] == by_size[2] == by_size[50]
    # splits are apart: more fields of one leave the others' seeds as they are
    assert by_size[1] == [
        *((f"train_{n:04d}", n) for n in range(5)),
        *((f"validation_{n:04d}", 10**6 + n) for n in range(2)),
        *((f"test_{n:04d}", 2 * 10**6 + n) for n in range(3)),
    ]
