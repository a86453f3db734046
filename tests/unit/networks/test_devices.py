import pytest
import torch

from crossres.jobs import InputError
from crossres.networks import choose_device


@pytest.fixture(autouse=True)
def threads_as_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("wanted", ["auto", "cpu"])
def test_without_a_gpu_the_cpu_is_used_and_named(monkeypatch, caplog, wanted):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    caplog.set_level("INFO", logger="crossres")
    assert choose_device(wanted, 1) == torch.device("cpu")
    assert "CPU, 1 threads" in caplog.text


def test_a_gpu_that_is_required_is_never_replaced(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=r"device: cuda is required.*auto or cpu"):
        choose_device("cuda", 1)


@pytest.mark.parametrize(("wanted", "kind"), [("auto", "cuda"), ("cuda", "cuda"), ("cpu", "cpu")])
def test_with_a_gpu_only_cpu_asks_for_the_cpu(monkeypatch, wanted, kind):
    pretend_cards(monkeypatch, 1)
    assert choose_device(wanted, 1).type == kind


def pretend_cards(monkeypatch, count):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: f"card {number}")


def test_every_process_of_a_training_has_its_own_gpu(monkeypatch, caplog):
    pretend_cards(monkeypatch, 2)
    caplog.set_level("INFO", logger="crossres")
    assert choose_device("auto", 1, rank=1) == torch.device("cuda", 1)
    assert "card 1" in caplog.text


def test_threads_are_as_asked():
    choose_device("cpu", 2)
    assert torch.get_num_threads() == 2
