"""Without a demo section of its own, a network trains at demo scale as the catalogue says."""

import pytest

from crossres.catalogue.networks import NETWORKS
from crossres.settings import load_experiment_settings


@pytest.fixture
def load(settings, write_experiment):
    def load_with(scale, networks, demo=None):
        settings["networks"] = networks
        settings["demo"] = {"networks": demo} if demo else {}
        folder = write_experiment(settings)
        return load_experiment_settings("beads", scale, folder).networks

    return load_with


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_has_a_demo_smaller_than_its_paper(load, name):
    (paper,), (demo,) = (load(scale, {name: {}}).trained.values() for scale in ("paper", "demo"))
    assert paper == NETWORKS[name]()
    assert demo == NETWORKS[name](**NETWORKS[name].demo)
    assert demo.iterations < paper.iterations and demo.width < paper.width


def test_a_recipe_of_ones_own_holds_at_either_scale(load):
    given = {"iterations": 70, "loss": {"mse": 2.0}}
    for scale in ("paper", "demo"):
        assert load(scale, {"cnn": given}).cnn == NETWORKS["cnn"](**given)


def test_what_does_not_contradict_the_demo_goes_with_it(load):
    cnn = load("demo", {"cnn": {"augment": True, "seeds": [3, 4]}}).cnn
    assert cnn == NETWORKS["cnn"](**NETWORKS["cnn"].demo, seeds=(3, 4))


def test_a_demo_of_its_own_takes_the_place_of_the_catalogues(load):
    networks = load("demo", {"gan": {}, "cnn": {}}, {"gan": {"iterations": 30}})
    assert networks.gan == NETWORKS["gan"](iterations=30)
    assert networks.cnn == NETWORKS["cnn"](**NETWORKS["cnn"].demo)
