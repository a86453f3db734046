"""Which model of which experiment a training begins from, and what is refused."""

import copy
from pathlib import Path

import pytest

from crossres.experiments import InitialModel, initial_model, load_experiments
from crossres.jobs import InputError
from crossres.settings import Config

GAN = {"iterations": 10, "width": 8}


@pytest.fixture
def load(settings, write_experiment):
    """Load `nuclei`, whose gan begins from `source`, asked for alone."""

    def load_with(source="beads", asked=("nuclei",), beads=None, nuclei=None):
        one, other = copy.deepcopy(settings), copy.deepcopy(settings)
        one["networks"] = {"gan": {**GAN, "seeds": [4, 7]}, "cnn": {"iterations": 10}}
        other["networks"] = {"gan": {**GAN, "initialise_from": source, "seeds": [7, 9]}}
        (beads or (lambda _: None))(one)
        (nuclei or (lambda _: None))(other)
        write_experiment(one, "beads")
        folder = write_experiment(other, "nuclei")
        config = Config(experiments=asked, scale="paper", fields_per_job=2)
        return load_experiments(config, folder)

    return load_with


def begun_from(experiments, seed=7, channel="beads"):
    return initial_model(experiments, "nuclei", channel, "gan", seed)


def channel(name):
    return lambda settings: settings["source"]["simulator"].update(channel=name)


def test_what_is_needed_is_loaded_but_not_asked_for(load):
    found = load()
    assert {name: experiment.asked for name, experiment in found.items()} == {
        "nuclei": True,
        "beads": False,
    }


def test_what_is_needed_and_asked_for_is_asked_for(load):
    assert all(e.asked for e in load(asked=("nuclei", "beads")).values())


def test_what_begins_at_random_needs_nothing(load):
    found = load(None)
    assert list(found) == ["nuclei"]
    assert begun_from(found) is None


def test_the_same_seed_is_taken_where_there_is_one_else_the_first(load):
    found = load()
    assert begun_from(found, 7) == InitialModel("beads", "beads", "gan", 7)
    assert begun_from(found, 9) == InitialModel("beads", "beads", "gan", 4)


def test_the_only_channel_serves_where_none_has_the_same_name(load):
    found = load(beads=channel("spots"))
    assert begun_from(found).channel == "spots"


@pytest.mark.parametrize("source", ["beads/spots", "beads/spots/gan"])
def test_channel_and_network_can_be_named(load, source):
    assert begun_from(load(source, beads=channel("spots"))).channel == "spots"


@pytest.fixture
def two_channels(write_sheet):
    rows = [f"{c}{s} {c} {c}{s}.tif {c}{s}_t.tif {s} ."
            for c in ("red", "green") for s in ("train", "validation", "test")]  # fmt: skip
    source = {key: v for key, v in write_sheet(*rows).items() if key != "split_fractions"}
    return lambda settings: settings.update(source=source)


def test_of_several_channels_that_of_the_same_name_is_taken(load, two_channels):
    found = load(beads=two_channels, nuclei=channel("green"))
    assert begun_from(found, channel="green").channel == "green"


def test_of_several_channels_one_must_be_named(load, two_channels):
    with pytest.raises(
        InputError, match=r"channels green, red and none called 'beads'.*beads/green"
    ):
        load(beads=two_channels)
    assert begun_from(load("beads/red", beads=two_channels)).channel == "red"


def test_a_model_file_is_taken_as_it_is_given(load, tmp_path):
    path = tmp_path / "mine.safetensors"
    path.touch()
    found = load(str(path))
    assert list(found) == ["nuclei"]
    assert begun_from(found) == path


def test_what_the_needed_experiment_needs_is_loaded_too(load, settings, write_experiment):
    settings["networks"] = {"gan": GAN}
    write_experiment(settings, "grains")
    found = load(beads=lambda s: s["networks"]["gan"].update(initialise_from="grains"))
    assert {name: e.asked for name, e in found.items()} == {
        "nuclei": True,
        "beads": False,
        "grains": False,
    }


def set_network(**keys):
    return lambda settings: settings["networks"]["gan"].update(**keys)


def set_pixel(size_nm):
    return lambda settings: settings["modalities"]["target"].update(pixel_size_nm=size_nm)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"source": "baeds"}, ["nuclei: networks.gan.initialise_from", "'baeds'", "mean beads?"]),
        ({"source": "beads/sopts", "beads": channel("spots")}, ["'sopts'", "did you mean spots?"]),
        ({"source": "beads/beads/gna"}, ["network 'gna' is not there", "did you mean gan?"]),
        ({"source": "beads/beads/cnn"}, ["cnn of beads is another network"]),
        ({"source": "beads/a/b/c"}, ["give an experiment, experiment/channel"]),
        ({"source": "gone.safetensors"}, ["'gone.safetensors'", "there is no such file"]),
        ({"beads": lambda s: s["networks"].pop("gan")}, ["network 'gan' is not there"]),
        ({"beads": set_network(width=16)}, ["width is 8 here and 16 in beads"]),
        ({"beads": set_pixel(50)}, ["pixels of 30 nm", "beads of 50 nm", "1.4"]),
        ({"nuclei": set_pixel(50)}, ["pixels of 50 nm", "beads of 30 nm"]),
        ({"source": "nuclei"}, ["in a circle, nuclei -> nuclei"]),
        ({"beads": set_network(initialise_from="nuclei")}, ["circle, nuclei -> beads -> nuclei"]),
    ],
)  # fmt: skip
def test_what_cannot_be_begun_from_is_refused_in_a_sentence(load, changes, words):
    with pytest.raises(InputError) as fault:
        load(**changes)
    for word in words:
        assert word in str(fault.value)


def test_pixels_that_differ_little_are_no_hindrance(load):
    assert begun_from(load(beads=set_pixel(41))).experiment == "beads"


def test_settings_of_the_training_may_differ(load):
    changes = set_network(learning_rate=0.5, batch=1, iterations=99, initialise_from=None)
    assert begun_from(load(beads=changes)).experiment == "beads"


@pytest.fixture
def sheets(write_sheet, tmp_path):
    """Give an experiment a sheet of four images, and say which split the first lies in."""

    def with_first_in(split):
        def change(settings):
            splits = ["train", "validation", "test"]
            splits = [split, *(s for s in splits if s != split), split]
            rows = [f"f{i} beads {i}.tif {i}_t.tif {s} ." for i, s in enumerate(splits)]
            source = write_sheet(*rows)
            path = tmp_path / f"{split}.tsv"
            Path(source["sheet"]).rename(path)
            settings["source"] = {"sheet": str(path), "data_root": source["data_root"]}

        return change

    return with_first_in


def test_a_model_trained_on_the_blind_test_is_refused(load, sheets):
    with pytest.raises(InputError) as fault:
        load(beads=sheets("train"), nuclei=sheets("test"))
    assert "beads trains on" in str(fault.value)
    assert "in the blind test of nuclei (field f" in str(fault.value)


def test_a_model_trained_on_the_same_split_is_taken(load, sheets):
    assert begun_from(load(beads=sheets("train"), nuclei=sheets("train"))).experiment == "beads"


def test_what_the_model_itself_began_from_must_be_blind_too(
    load, sheets, settings, write_experiment
):
    grains = {**settings, "networks": {"gan": GAN}}
    sheets("train")(grains)
    write_experiment(grains, "grains")
    with pytest.raises(InputError, match="grains trains on"):
        load(beads=set_network(initialise_from="grains"), nuclei=sheets("test"))


@pytest.mark.parametrize(("columns", "refused"), [(1, False), (2, True)])
def test_parts_of_one_image_are_told_apart_where_both_cut_it_alike(
    load, write_sheet, columns, refused
):
    source = write_sheet("image beads a.tif a_t.tif . .")

    def cut_into(train_columns):
        columns = {"train": train_columns, "validation": 1, "test": 1}
        cut = {"rows": 1, "columns": columns, "guard_px": 0}
        return lambda settings: settings.update(source={**source, "cut": cut})

    if refused:
        with pytest.raises(InputError, match="beads trains on"):
            load(beads=cut_into(columns), nuclei=cut_into(1))
    else:
        assert begun_from(load(beads=cut_into(columns), nuclei=cut_into(1))).experiment == "beads"
