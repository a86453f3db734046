"""How the trainings of a run share a machine."""

from types import SimpleNamespace

import pytest

from crossres.planning import Training
from crossres.planning import train as planning


def planned(device="auto", networks=({"cnn": 1, "gan": 3},)):
    experiments = {
        str(number): SimpleNamespace(
            channels=["beads"],
            networks={
                name: SimpleNamespace(seeds=tuple(range(count))) for name, count in found.items()
            },
        )
        for number, found in enumerate(networks)
    }
    return Training(SimpleNamespace(device=device), experiments)


@pytest.mark.parametrize(
    ("cores", "networks", "threads"),
    [(2, 1, 2), (2, 4, 1), (16, 4, 4), (16, 3, 5), (2, 0, 2)],
)
def test_without_a_gpu_each_training_has_its_part(monkeypatch, cores, networks, threads):
    monkeypatch.setattr(planning, "has_gpu", lambda: False)
    training = planned(networks=({str(n): 1 for n in range(networks)},))
    assert training.threads(cores, 1024) == threads


def test_every_seed_and_experiment_counts(monkeypatch):
    monkeypatch.setattr(planning, "has_gpu", lambda: False)
    assert planned(networks=({"cnn": 1, "gan": 3}, {"rcan": 4})).threads(16, 1024) == 2


@pytest.mark.parametrize(("device", "threads"), [("auto", 1024), ("cuda", 1024), ("cpu", 4)])
def test_with_a_gpu_one_training_has_the_machine(monkeypatch, device, threads):
    monkeypatch.setattr(planning, "has_gpu", lambda: True)
    assert planned(device).threads(16, 1024) == threads


def test_a_job_with_a_machine_of_its_own_has_all_of_it(monkeypatch):
    monkeypatch.setattr(planning, "has_gpu", lambda: False)
    assert planned().threads(None, 1024) == 1024
