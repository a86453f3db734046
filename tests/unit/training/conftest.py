import json

import pytest
import torch
from training_runs import make_data, run

from crossres.training import loop


@pytest.fixture(scope="session")
def data():
    return make_data()


@pytest.fixture(scope="session")
def whole(data, tmp_path_factory):
    """Return a function from settings to what a training gives that nothing interrupts."""
    done = {}

    def train_through(settings):
        key = json.dumps(settings, sort_keys=True)
        if key not in done:
            done[key] = run(data, settings, tmp_path_factory.mktemp("whole"))
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
