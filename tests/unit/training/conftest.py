from contextlib import nullcontext

import pytest
import torch
from training_runs import data_for, make_data, run

from crossres.training import ProcessGroup, adversary, loop, step
from crossres.training.batches import ANY_CROP


@pytest.fixture(scope="session")
def data():
    return make_data()


@pytest.fixture(scope="session")
def whole(data, tmp_path_factory):
    """Return a function from settings to what a training gives that nothing interrupts."""
    done = {}

    def train_through(settings):
        key = settings.model_dump_json()
        if key not in done:
            done[key] = run(data_for(settings, data), settings, tmp_path_factory.mktemp("whole"))
        return done[key]

    return train_through


@pytest.fixture
def stepped(monkeypatch):
    """Iterations that were worked on, and a place to ask for a kill at one of them."""
    record = {"iterations": [], "kill_at": None}
    step = loop._Run.step

    def step_or_die(run, x, y):
        if run.iteration == record["kill_at"]:
            record["kill_at"] = None
            raise KeyboardInterrupt
        record["iterations"].append(run.iteration)
        step(run, x, y)

    monkeypatch.setattr(loop._Run, "step", step_or_die)
    return record


@pytest.fixture
def adam_steps(monkeypatch):
    """(number of weights, rate) of every step of an Adam, in order."""
    steps, step = [], torch.optim.Adam.step

    def note(self, *arguments, **keywords):
        group = self.param_groups[0]
        steps.append((sum(p.numel() for p in group["params"]), group["lr"]))
        return step(self, *arguments, **keywords)

    monkeypatch.setattr(torch.optim.Adam, "step", note)
    return steps


@pytest.fixture
def step_without_values(monkeypatch):
    """Return a function to a step of a training on torch's meta device.

    It calls the operations of a step on a GPU, and computes nothing.
    """
    meta = torch.device("meta")

    def emptied(network, learning_rate, betas, device):
        network = network.to_empty(device=device)
        return network, torch.optim.SGD(network.parameters(), lr=0.0)

    monkeypatch.setattr(step, "prepare", emptied)
    monkeypatch.setattr(adversary, "prepare", emptied)
    # it holds numbers for the CPU to read, and there are none here
    monkeypatch.setattr(loop, "Validation", lambda *_: None)
    monkeypatch.setattr(step, "precision_of", lambda *_: torch.float32)
    # which knows no meta device
    monkeypatch.setattr(torch, "autocast", lambda *_: nullcontext())

    def prepared(network, settings, shape):
        training = loop._Run(
            network, make_data(), settings, 0, meta, ProcessGroup(), False, ANY_CROP
        )
        patches = torch.empty(shape, device=meta)
        return lambda: training.step(patches, patches)

    return prepared
