"""An experiment can hold the settings of another, with its own laid over them."""

import pytest
import yaml

from crossres.jobs import InputError
from crossres.settings import load_experiment_settings
from crossres.settings.acquisition import Splits


@pytest.fixture
def load(settings, write_experiment):
    """Load an experiment that is based on the small one, beside it."""
    settings["networks"] = {"cnn": {"iterations": 10}, "gan": {"iterations": 20}}
    settings["deconvolution"] = {"nnls": {}, "richardson_lucy": {"max_iterations": 7}}
    settings["demo"] = {
        "networks": {"cnn": {"iterations": 3}, "gan": {"iterations": 4, "width": 8}}
    }
    write_experiment(settings)

    def load_with(scale="paper", **own):
        folder = write_experiment({"based_on": "beads", **own}, "mine")
        return load_experiment_settings("mine", scale, folder)

    return load_with


@pytest.mark.parametrize("scale", ["demo", "paper"])
def test_without_keys_of_its_own_it_is_the_other(settings, load, scale):
    found = load(scale)
    assert found.title == "Beads"
    assert found.source.simulator.acquisition.fields == Splits(train=5, validation=2, test=3)
    assert found.networks.gan.iterations == {"demo": 4, "paper": 20}[scale]


def test_its_own_keys_lie_over_the_others_one_by_one(load):
    found = load(networks={"gan": {"learning_rate": 0.5}}, patches={"per_field": 9}, title="Mine")
    assert found.title == "Mine"
    assert found.networks.gan.learning_rate == 0.5
    assert found.networks.gan.iterations == 20
    assert found.networks.cnn.iterations == 10
    assert found.patches.per_field == 9


def test_both_demo_sections_lie_over_the_rest_the_own_one_last(load):
    found = load("demo", networks={"gan": {"width": 5}}, demo={"networks": {"gan": {"batch": 2}}})
    gan = found.networks.gan
    # as at any demo: what a demo section names wins, be it of the other file
    assert (gan.iterations, gan.width, gan.batch) == (4, 8, 2)
    assert load("demo", demo={"networks": {"gan": {"width": 6}}}).networks.gan.width == 6


@pytest.mark.parametrize("scale", ["demo", "paper"])
def test_a_method_that_is_null_is_left_out_at_either_scale(load, scale):
    found = load(scale, networks={"gan": None}, deconvolution={"nnls": None})
    assert list(found.networks.trained) == ["cnn"]
    assert found.deconvolution.nnls is None
    assert found.deconvolution.richardson_lucy.max_iterations == 7


def test_a_network_can_be_left_out_of_the_demo_alone(load):
    own = {"demo": {"networks": {"gan": None}}}
    assert list(load("demo", **own).networks.trained) == ["cnn"]
    assert set(load("paper", **own).networks.trained) == {"cnn", "gan"}


def test_a_key_can_be_set_back_to_null(load):
    own = {"networks": {"gan": {"initialise_from": None}}}
    assert load(**own).networks.gan.initialise_from is None


def test_the_other_may_be_based_on_a_third(load, write_experiment):
    load(networks={"cnn": {"iterations": 50}})
    folder = write_experiment({"based_on": "mine", "title": "Third"}, "third")
    found = load_experiment_settings("third", "paper", folder)
    assert (found.title, found.networks.cnn.iterations) == ("Third", 50)
    assert found.networks.gan.iterations == 20


def test_the_other_is_looked_for_beside_the_file_first(settings, write_experiment, tmp_path):
    folder = write_experiment({**settings, "title": "Of the folder"})
    beside = tmp_path / "beside"
    beside.mkdir()
    (beside / "mine.yaml").write_text("based_on: beads\n")
    path = str(beside / "mine.yaml")
    assert load_experiment_settings(path, "paper", folder).title == "Of the folder"
    (beside / "beads.yaml").write_text(yaml.safe_dump({**settings, "title": "Beside"}))
    assert load_experiment_settings(path, "paper", folder).title == "Beside"


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ({"based_on": "baeds"}, ["mine.yaml: based_on", "'baeds'", "did you mean beads?"]),
        ({"based_on": ["beads"]}, ["mine.yaml: based_on is ['beads']", "name of an experiment"]),
        ({"based_on": "mine"}, ["based_on goes in a circle, mine -> mine"]),
        ({"networks": {"cnn": {"iteratons": 1}}}, ["networks.cnn.iteratons: unknown key"]),
    ],
)
def test_what_cannot_be_based_on_is_refused_in_a_sentence(load, own, words):
    with pytest.raises(InputError) as fault:
        load(**own)
    for word in words:
        assert word in str(fault.value)


def test_a_longer_circle_is_named(write_experiment):
    write_experiment({"based_on": "two"}, "one")
    folder = write_experiment({"based_on": "one"}, "two")
    with pytest.raises(InputError, match="circle, one -> two -> one"):
        load_experiment_settings("one", "paper", folder)
