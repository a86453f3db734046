import inspect

import pytest

from crossres.experiments.configuration import load_schema
from crossres.networks import NETWORKS

GIVEN = {"field_px", "channels_in", "channels_out"}
"""What training and other networks give, not the configuration."""

HOW_IT_IS_TRAINED = {"adversarial"}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_configuration_has_the_settings_of_every_network_with_its_defaults(name):
    keys = load_schema("experiment")["properties"]["networks"]["properties"][name]["properties"]
    parameters = inspect.signature(NETWORKS[name].constructor).parameters
    assert set(keys) - HOW_IT_IS_TRAINED == NETWORKS[name].settings() - GIVEN
    for key in set(keys) - HOW_IT_IS_TRAINED:
        assert keys[key]["default"] == parameters[key].default


def test_the_configuration_knows_every_network():
    networks = load_schema("experiment")["properties"]["networks"]["properties"]
    assert set(networks) == set(NETWORKS)
