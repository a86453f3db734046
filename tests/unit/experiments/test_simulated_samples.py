"""Each sample of the simulator has keys of its own."""

import pytest

from crossres.experiments import load_experiment_settings
from crossres.jobs import InputError


@pytest.fixture
def load(settings, write_experiment):
    def load_with(**simulator):
        settings["source"]["simulator"].update(simulator)
        return load_experiment_settings("beads", "paper", write_experiment(settings))

    return load_with


def test_nuclei_have_their_defaults(load):
    nuclei = load(sample="nuclear_puncta", nuclei={"haze": 0.3})["source"]["simulator"]["nuclei"]
    assert nuclei["haze"] == 0.3
    # Wang 2019, Fig. 5 shows three scans
    assert nuclei["scans"] == 3
    assert nuclei["puncta_per_um2"] > 0


@pytest.mark.parametrize(
    ("simulator", "words"),
    [
        ({"sample": "nuclear_puncta"}, "source.simulator.nuclei is missing"),
        ({"nuclei": {}}, "source.simulator.nuclei does not belong there"),
        (
            {"sample": "nuclear_puncta", "nuclei": {}, "density_per_um2": 1},
            "source.simulator.density_per_um2 does not belong there",
        ),
        (
            {"sample": "nuclear_puncta", "nuclei": {}, "pair_fraction": 0.1},
            "source.simulator.pair_fraction does not belong there",
        ),
        (
            {"sample": "nuclear_puncta", "nuclei": {"haz": 1}},
            "source.simulator.nuclei.haz is no known key (did you mean haze?",
        ),
        ({"sample": "nuclei"}, "source.simulator.sample is 'nuclei'; it can be beads, nuclear_"),
    ],
)
def test_keys_of_another_sample_are_refused(load, simulator, words):
    with pytest.raises(InputError) as fault:
        load(**simulator)
    assert words in str(fault.value)
