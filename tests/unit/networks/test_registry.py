import inspect
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import torch
from pydantic_core import PydanticUndefined
from small_networks import ALL, CASES, small, small_case

import crossres
from crossres.catalogue.networks import NETWORKS, Network
from crossres.jobs import InputError
from crossres.networks import build, takes_pooling

SIZES = {
    2: [(16, 16), (1, 1), (7, 13), (37, 53), (48, 17)],
    3: [(4, 8, 8), (1, 1, 1), (1, 9, 20), (5, 19, 23), (12, 3, 7)],
}
ODD = {2: (37, 53), 3: (5, 19, 23)}

every_network = pytest.mark.parametrize(("name", "dims"), ALL)


@pytest.mark.parametrize(("name", "dims", "pooling_px"), CASES)
def test_every_network_keeps_the_size_of_its_image(name, dims, pooling_px):
    network = small_case(name, dims, pooling_px)
    for size in SIZES[dims]:
        with torch.inference_mode():
            assert network(torch.rand(2, 1, *size)).shape == (2, 1, *size)


@pytest.mark.parametrize(("name", "dims", "pooling_px"), CASES)
def test_every_weight_of_every_network_learns(name, dims, pooling_px):
    network = small_case(name, dims, pooling_px).train()
    network(torch.rand(2, 1, *ODD[dims])).square().sum().backward()
    for key, weight in network.named_parameters():
        assert weight.grad is not None, key
        assert torch.isfinite(weight.grad).all(), key
        assert weight.grad.abs().sum() > 0, key


@every_network
def test_images_of_a_batch_do_not_mix(name, dims):
    network = small(name, dims)
    batch = torch.rand(3, 1, *ODD[dims])
    changed = batch.clone()
    changed[1] += 1.0
    with torch.inference_mode():
        difference = (network(changed) - network(batch)).abs().flatten(1).amax(1)
    assert difference[1] > 0
    assert difference[[0, 2]].max() < 1e-6


@every_network
def test_every_network_says_what_tiling_must_know(name, dims):
    network = small(name, dims)
    assert len(network.stride_px) == len(network.reach_px) == dims
    assert network.pooling_px is None
    assert isinstance(network.live_channels, int)


@pytest.mark.parametrize(
    ("name", "stride_px"),
    [("gan", (16, 16)), ("tcan", (16, 16)), ("care", (4, 4)), ("rcan", (1, 1)), ("esrgan", (1, 1))],
)
def test_strides_are_the_products_of_the_poolings(name, stride_px):
    with torch.device("meta"):
        assert build(name).stride_px == stride_px


@pytest.mark.parametrize(
    ("name", "dims", "pooling_px", "stride_px"),
    [
        ("rcan", 2, [64, 64], (32, 32)),
        ("rcan", 3, [16, 256, 100], (8, 128, 50)),
        ("dfcan", 2, [1, 25], (1, 12)),
        ("tcan", 2, [64, 64], (32, 32)),
        ("tcan", 2, [24, 8], (12, 4)),
        ("tcan", 2, [20, 12], (20, 12)),
    ],
)
def test_with_a_field_the_stride_is_also_a_multiple_of_its_half(name, dims, pooling_px, stride_px):
    network = small(name, dims, pooling_px=pooling_px)  # tcan's own stride is 4 here
    assert network.stride_px == stride_px
    assert network.pooling_px == tuple(pooling_px)


@pytest.mark.parametrize("pooling_px", [[64], [64, 64, 64], [0, 64]])
def test_a_field_that_is_none_is_refused(pooling_px):
    with pytest.raises(InputError, match=r"pooling_px is .*2 entries.*training patches"):
        build("rcan", pooling_px=pooling_px)


def test_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=f"'gna' is unknown.*{', '.join(sorted(NETWORKS))}"):
        build("gna")


@pytest.mark.parametrize("name", ["gan", "cnn", "tcan", "dfcan"])
def test_volumes_are_refused_by_networks_of_images(name):
    with pytest.raises(InputError, match=f"network '{name}' works on 2D images; dims is 3"):
        build(name, dims=3)


def test_dimensions_beyond_volumes_are_refused():
    with pytest.raises(InputError, match="'rcan' works on 2D and 3D images; dims is 4"):
        build("rcan", dims=4)


@every_network
def test_unknown_setting_is_refused_by_its_name(name, dims):
    with pytest.raises(InputError, match="wdith"):
        build(name, dims, wdith=8)


def test_a_field_is_refused_by_a_network_without_attention():
    assert not takes_pooling("gan")
    with pytest.raises(InputError, match="'gan' has no setting pooling_px"):
        build("gan", pooling_px=[64, 64])


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"upsampling": "bicubic"}, "upsampling is 'bicubic'.*'bilinear' or 'nearest'"),
        ({"width": 0}, "width is 0.*greater than or equal to 1"),
        ({"depth": "4"}, "depth is '4'.*valid integer"),
    ],
)
def test_a_value_that_a_setting_does_not_take_is_refused_by_its_name(setting, words):
    with pytest.raises(InputError, match=f"network 'gan': {words}"):
        build("gan", **setting)


def constructor_of(name):
    module, constructor = NETWORKS[name].module.split(":")
    return getattr(import_module(f"crossres.networks.{module}"), constructor)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_constructor_takes_the_settings_of_the_catalogue_and_has_no_defaults_of_its_own(name):
    parameters = inspect.signature(constructor_of(name)).parameters
    given_by_others = {"dims", "pooling_px", "channels_in", "channels_out"}
    assert set(parameters) - given_by_others == NETWORKS[name].own()
    assert all(parameters[key].default is inspect.Parameter.empty for key in NETWORKS[name].own())


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_every_setting_of_a_network_has_a_default(name):
    fields = NETWORKS[name].model_fields
    assert all(
        fields[key].default is not PydanticUndefined for key in fields.keys() - {"iterations"}
    )
    assert not NETWORKS[name].own() & set(Network.model_fields)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_networks_own_settings_build_it(name):
    settings = NETWORKS[name](iterations=10, batch=2, width=4)
    assert settings.architecture.keys() == NETWORKS[name].own()
    with torch.device("meta"):
        found, expected = build(name, **settings.architecture), build(name, width=4)
    assert [p.shape for p in found.parameters()] == [p.shape for p in expected.parameters()]


def test_a_network_is_imported_only_when_it_is_built():
    seen = (
        "import sys; from crossres.networks import build; "
        "print('crossres.networks.rcan' in sys.modules); build('rcan', width=1); "
        "print('crossres.networks.rcan' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(crossres.__file__).parents[1])}
    found = subprocess.run(
        [sys.executable, "-c", seen], env=environment, capture_output=True, text=True
    )
    assert found.stdout.split() == ["False", "True"], found.stderr
