"""What the processes of a team are given to do; a new process finds it here."""

import time

import torch
from training_runs import CPU, PLAIN, make_data, poisoned, small_network

from crossres.training import Diverged, train


def train_all(team, folder, settings, broken):
    """Train a network by each of some settings, then on data with one patch not a number.

    Each process would write into its own folder.
    """
    torch.set_num_threads(1)

    def run(name, data, chosen):
        state = folder / name / f"rank_{team.rank}" / "training_state.pt"
        return train(small_network(), data, chosen, 0, CPU, state, "stamp", team)

    found = {name: run(name, make_data(), chosen) for name, chosen in settings.items()}
    try:
        run("broken", poisoned(make_data(), patches=broken), PLAIN)
    except Diverged as fault:
        found["broken"] = str(fault)
    rank = torch.tensor(float(team.rank))
    found["shared"] = [team.mean(rank).item(), team.mean_of({"rank": rank})["rank"].item(),
                       team.least(torch.tensor(5 - team.rank))]  # fmt: skip
    return found


def train_all_and_fail(team, found, **arguments):
    """Train, fill in what was found, and fail in the first process while the other waits for it.

    A process takes seconds to start: it has to do for both.
    """
    found |= train_all(team, **arguments)
    found["failed"] = time.monotonic()
    if team.rank == 0:
        raise ValueError("a fault in the first process")
    team.wait()
