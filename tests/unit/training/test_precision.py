"""In which type a network is computed."""

import pytest
import torch
from training_runs import (
    ADVERSARIAL,
    BOTH,
    CPU,
    PLAIN,
    against,
    assert_same,
    changed,
    run,
)

from crossres.jobs import InputError
from crossres.networks import precision_of
from crossres.training.running_losses import RunningLosses
from crossres.training.selection import Validation


def in_bfloat16(settings):
    return changed(settings, precision="bfloat16")


@pytest.fixture
def convolved_in(monkeypatch):
    """Types that the networks' convolutions gave, but for those of the validation."""
    types, scores = [], Validation.scores

    def note(module, _inputs, output):
        if isinstance(module, torch.nn.Conv2d):
            types.append(output.dtype)

    def scores_apart(*arguments):
        before = len(types)
        found = scores(*arguments)
        del types[before:]
        return found

    monkeypatch.setattr(Validation, "scores", scores_apart)
    hook = torch.nn.modules.module.register_module_forward_hook(note)
    yield types
    hook.remove()


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [("auto", torch.float32), ("float32", torch.float32), ("bfloat16", torch.bfloat16)],
)
def test_precision_on_the_cpu(wanted, expected):
    assert precision_of(wanted, CPU) == expected


@pytest.mark.parametrize(("able", "expected"), [(True, torch.bfloat16), (False, torch.float32)])
def test_auto_on_a_gpu_is_bfloat16_where_it_is_not_emulated(monkeypatch, able, expected):
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation: including_emulation or able
    )
    assert precision_of("auto", torch.device("cuda")) == expected


def test_bfloat16_is_refused_where_it_is_only_emulated(monkeypatch):
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation: including_emulation
    )
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "an old card")
    with pytest.raises(InputError, match=r"bfloat16 is asked for.*an old card.*precision: auto"):
        precision_of("bfloat16", torch.device("cuda"))
    assert precision_of("bfloat16", CPU) == torch.bfloat16


@BOTH
@pytest.mark.parametrize("precision", ["auto", "bfloat16"])
def test_convolutions_are_computed_in_it(data, settings, precision, convolved_in, tmp_path):
    run(data, changed(settings, precision=precision), tmp_path)
    # but for the last, which gives the image
    expected = {torch.bfloat16, torch.float32} if precision == "bfloat16" else {torch.float32}
    assert set(convolved_in) == expected


@pytest.mark.parametrize("kind", ["standard", "relativistic", "relativistic_average"])
def test_losses_are_float32(data, kind, monkeypatch, tmp_path):
    types, add = {}, RunningLosses.add

    def note(record, iteration, names, values):
        types.update(dict.fromkeys(names, values.dtype))
        add(record, iteration, names, values)

    monkeypatch.setattr(RunningLosses, "add", note)
    run(data, in_bfloat16(against(kind=kind)), tmp_path)
    assert {"generator_loss", "discriminator_loss", "mse", "log_ssim"} <= types.keys()
    assert set(types.values()) == {torch.float32}


@BOTH
def test_weights_and_what_adam_remembers_stay_float32(data, settings, tmp_path):
    weights, _ = run(data, in_bfloat16(settings), tmp_path)
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}
    state = torch.load(tmp_path / "training_state.pt", weights_only=True)
    remembered = [t for one in state["optimiser"]["state"].values() for t in one.values()]
    assert {tensor.dtype for tensor in remembered} == {torch.float32}


def test_in_bfloat16_a_network_learns_nearly_the_same(data, tmp_path):
    settings = changed(PLAIN, iterations=40, validate_every=40, learning_rate=3e-3)
    _, exact = run(data, settings, tmp_path / "float32")
    _, rounded = run(data, in_bfloat16(settings), tmp_path / "bfloat16")
    before, after = exact.validation_mse
    assert rounded.validation_mse[1] != after
    # what is learnt, give or take a tenth of it
    assert rounded.validation_mse[1] == pytest.approx(after, abs=0.1 * (before - after))


def test_in_bfloat16_too_a_killed_training_goes_on_to_the_same_bits(data, whole, stepped, tmp_path):
    settings = in_bfloat16(ADVERSARIAL)
    expected = whole(settings)
    stepped["kill_at"] = 5
    with pytest.raises(KeyboardInterrupt):
        run(data, settings, tmp_path / "killed")
    assert_same(run(data, settings, tmp_path / "killed"), expected)
