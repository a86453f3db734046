import json
import math
import zipfile
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from crossres.catalogue.networks import NETWORKS
from crossres.jobs import InputError
from crossres.networks import ModelFile, build, load_model, save_model
from crossres.networks.files import _hash_of, clone_weights
from crossres.preprocess import Scale


def about(name="gan", width=2):
    return ModelFile(name, {"width": width}, 2, Scale(12.5, 800.0), Scale(0.1, 1 / 3), 30.0)


def trained(seed=0, name="gan"):
    torch.manual_seed(seed)
    return build(name, width=2)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(path, clone_weights(trained()), about())
    return path


def refusal(path):
    with pytest.raises(InputError) as fault:
        load_model(path)
    assert str(path) in str(fault.value)
    return str(fault.value)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_model_comes_back_with_its_weights_and_description(tmp_path, name):
    network = trained(name=name).eval()
    save_model(tmp_path / "m" / "model.safetensors", network.state_dict(), about(name))
    found, description = load_model(tmp_path / "m" / "model.safetensors")
    assert description == about(name)
    image = torch.rand(1, 1, 20, 33)
    with torch.inference_mode():
        torch.testing.assert_close(found(image), network(image), rtol=0, atol=0)


def test_what_is_said_of_volumes_and_of_the_training_comes_back(tmp_path):
    network = build("rcan", 3, width=2, groups=1, blocks=1, pooling_px=[8, 16, 16])
    settings = {"width": 2, "groups": 1, "blocks": 1, "pooling_px": [8, 16, 16]}
    trained = {"experiment": "beads", "seed": 3, "scores": {"psnr_db": 31.5}, "data": "simulated"}
    said = ModelFile(
        "rcan", settings, 3, Scale(0, 1), Scale(0, 1), 55.0, (2.0, 99.9), 250.0, trained
    )
    save_model(tmp_path / "model.safetensors", network.state_dict(), said)
    found, description = load_model(tmp_path / "model.safetensors")
    assert description == said
    assert found.pooling_px == (8, 16, 16)


def test_what_was_done_to_the_raw_inputs_comes_back(tmp_path):
    said = replace(about(), background=104.25, input_pixel_size_nm=65.0, interpolation_order=3)
    save_model(tmp_path / "model.safetensors", trained().state_dict(), said)
    assert load_model(tmp_path / "model.safetensors")[1] == said


def test_models_written_before_volumes_are_read(model):
    weights = load_file(model)
    with safe_open(model, framework="pt") as file:
        fields = json.loads(file.metadata()["crossres"])
    newer = ("background", "input_pixel_size_nm", "interpolation_order", "sha256")
    for key in ("z_step_nm", "trained", *newer):
        del fields[key]
    save_file(weights, model, metadata={"crossres": json.dumps(fields)})
    _, description = load_model(model)
    assert description == about()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"network": "gna"}, "'gna' is unknown"),
        ({"settings": {"wdith": 2}}, "no setting wdith"),
        ({"settings": {"width": "wide"}}, "cannot be built (network 'gan': width is 'wide'"),
        ({"dims": 3}, "dims is 3"),
        ({"settings": {"width": 10**6}}, "width is 1000000; input should be less than"),
        ({"settings": {"width": 1024, "depth": 8}}, "its weights are not those of a gan"),
        ({"settings": {"depth": 10**9}}, "depth is 1000000000; input should be less than"),
        ({"input_scale": {"offset": 0, "span": 0}}, "says input_scale.span 0, which cannot be"),
        ({"target_scale": {"offset": 0, "span": -1}}, "says target_scale.span -1, which cannot"),
        ({"target_scale": {"offset": math.nan, "span": 1}}, "says target_scale.offset nan, which"),
        ({"pixel_size_nm": 0}, "says pixel_size_nm 0, which cannot be"),
        ({"pixel_size_nm": "30"}, "says pixel_size_nm '30', which cannot be"),
        ({"interpolation_order": 7}, "says interpolation_order 7, which cannot be"),
    ],
)
def test_a_description_that_no_network_fits_is_refused_with_its_file(model, changed, said):
    rewrite(model, changed, sha256=None)
    assert said in refusal(model)


def rewrite(model, changed, **hashes):
    """Change the description of a file; with its hash where none is given."""
    weights = load_file(model)
    with safe_open(model, framework="pt") as file:
        fields = json.loads(file.metadata()["crossres"])
    save_file(weights, model, metadata={"crossres": json.dumps({**fields, **changed, **hashes})})


@pytest.mark.parametrize(
    "changed", [{"pixel_size_nm": 60.0}, {"background": 1.0}, {"trained": {"seed": 1}}]
)
def test_a_changed_description_is_noticed(model, changed):
    rewrite(model, changed)
    assert "its weights or its description are not those that were written" in refusal(model)


def test_every_changed_digit_of_the_description_is_noticed(model):
    whole = model.read_bytes()
    places = [
        k
        for k in range(whole.index(b"crossres"), whole.index(b"sha256"))
        if whole[k : k + 1].isdigit()
    ]
    assert len(places) > 10
    for place in places:
        digit = b"%d" % (9 - int(whole[place : place + 1]))
        model.write_bytes(whole[:place] + digit + whole[place + 1 :])
        assert "that were written" in refusal(model)


def test_files_with_a_hash_of_the_weights_alone_are_read(model):
    weights = {name: tensor.contiguous() for name, tensor in load_file(model).items()}
    rewrite(model, {}, sha256=None, weights_sha256=_hash_of(weights))
    assert load_model(model)[1] == about()
    rewrite(model, {}, sha256=None, weights_sha256="0")
    assert "its weights are not those that were written" in refusal(model)


def test_a_loaded_model_is_ready_to_restore(model):
    network, _ = load_model(model)
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())


def test_the_same_weights_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        save_model(tmp_path / name, clone_weights(trained()), about())
    save_model(tmp_path / "other", clone_weights(trained(seed=1)), about())
    first, again, other = ((tmp_path / name).read_bytes() for name in ("a", "b", "other"))
    assert first == again
    assert first != other


def test_memory_layout_and_order_of_the_weights_do_not_matter(tmp_path):
    network = trained()
    save_model(tmp_path / "a", network.state_dict(), about())
    turned = network.to(memory_format=torch.channels_last).state_dict()
    save_model(tmp_path / "b", dict(reversed(turned.items())), about())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_any_safetensors_reader_finds_the_weights(model):
    weights = load_file(model)
    for name, tensor in trained().state_dict().items():
        torch.testing.assert_close(weights[name], tensor, rtol=0, atol=0)


def test_nothing_is_left_beside_the_model(model):
    assert [path.name for path in model.parent.iterdir()] == ["model.safetensors"]


def test_missing_model(tmp_path):
    assert "train it first" in refusal(tmp_path / "model.safetensors")


@pytest.mark.parametrize("part", [0.0, 0.001, 0.05, 0.5, 0.999])
def test_truncated_model(model, part):
    whole = model.read_bytes()
    model.write_bytes(whole[: int(part * len(whole))])
    assert "train it again" in refusal(model)


def test_a_single_changed_bit_of_the_weights_is_noticed(model):
    content = bytearray(model.read_bytes())
    content[-9] ^= 1
    model.write_bytes(content)
    assert "not those that were written" in refusal(model)


def test_a_changed_name_of_the_weights_is_noticed(model):
    weights = load_file(model)
    with safe_open(model, framework="pt") as file:
        metadata = file.metadata()
    swapped = dict(zip(weights, [torch.zeros(1), *list(weights.values())[1:]], strict=True))
    save_file(swapped, model, metadata=metadata)
    assert "not those that were written" in refusal(model)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(tmp_path, value):
    weights = clone_weights(trained())
    weights["last.weight"].flatten()[0] = value
    save_model(tmp_path / "model.safetensors", weights, about())
    assert "1 of its weights are NaN or Inf" in refusal(tmp_path / "model.safetensors")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("model.bioimageio.zip", "is a bioimage.io package"),
        ("package.safetensors", "is a bioimage.io package"),
        ("model.pt", "is a PyTorch file"),
    ],
)
def test_the_files_beside_a_model_are_told_from_it(tmp_path, name, kind):
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("rdf.yaml", "type: model")
    said = refusal(tmp_path / name)
    assert f"{kind}; give the model.safetensors beside it" in said
    assert "train" not in said


def test_garbage(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"not a model at all " * 100)
    assert "train it again" in refusal(path)


def test_a_model_of_somebody_else(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file({"weight": torch.zeros(3)}, path)
    assert "not written by crossres" in refusal(path)


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", json.dumps({"network": "gan"}), json.dumps({"input_scale": 3})],
    ids=["no json", "no mapping", "empty", "incomplete", "wrong type"],
)
def test_a_damaged_description(tmp_path, text):
    path = tmp_path / "model.safetensors"
    save_file(trained().state_dict(), path, metadata={"crossres": text})
    assert "description" in refusal(path)


def test_weights_that_do_not_fit_the_description(tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(path, clone_weights(trained()), about(width=4))
    assert "weights" in refusal(path)


def test_cloned_weights_do_not_follow_the_network():
    network = trained()
    weights = clone_weights(network)
    before = weights["last.weight"].clone()
    with torch.no_grad():
        network.last.weight.add_(1.0)
    assert torch.equal(weights["last.weight"], before)
