"""What the processes of a team are given to do; a new process finds it here."""

import os
import signal
import time

import torch
import torch.distributed as dist
from training_runs import CPU, PLAIN, make_data, poisoned, small_network

from crossres.jobs import InputError, logger
from crossres.training import Diverged, train

A_CARD = "CROSSRES_TESTS_PRETEND_A_CARD"
"""Where this is set, torch pretends to see a GPU."""

if A_CARD in os.environ:
    torch.cuda.is_available = lambda: True
    torch.cuda.device_count = lambda: 1


def train_all(team, device, folder, settings, broken):
    """Train a network by each of some settings, then on data with one patch not a number.

    Each process would write into its own folder; what the first found is in found.pt.
    """
    torch.set_num_threads(1)
    logger.info("process %d is at work", team.rank)

    def run(name, data, chosen):
        state = folder / name / f"rank_{team.rank}" / "training_state.pt"
        return train(small_network(), data, chosen, 0, CPU, state, "stamp", team)

    found = {}
    for name, chosen in settings.items():
        weights, history = run(name, make_data(), chosen)
        found[name] = weights, history.to_dict("list")
    try:
        run("broken", poisoned(make_data(), patches=broken), PLAIN)
    except Diverged as fault:
        found["broken"] = str(fault)
    rank = torch.tensor(float(team.rank))
    found["shared"] = [team.mean(rank).item(), team.mean_of({"rank": rank})["rank"].item(),
                       team.least(torch.tensor(5 - team.rank))]  # fmt: skip
    found["device"] = device
    if team.rank == 0:
        torch.save(found, folder / "found.pt")


def refuse_in_the_second(team, device):
    """Refuse in the second process while the first waits for it."""
    if team.rank == 1:
        raise InputError(f"the second was refused at {time.monotonic()}")
    team.wait()


def refuse_in_both(team, device):
    """Refuse in both processes; the first needs longer, as if it had something to rescue."""
    team.wait()
    time.sleep(0.5)
    if team.rank == 1:
        raise Diverged("the second diverged", {})
    time.sleep(1.0)
    raise Diverged(f"the first diverged, over {dist.get_backend()}", {"kept": torch.ones(1)})


def fail_in_the_first(team, device):
    """Fail in the first process while the second hangs and heeds no request to end."""
    if team.rank == 1:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    team.wait()
    if team.rank == 0:
        raise ValueError("a fault in the first process")
    time.sleep(600)


def die_in_the_second(team, device):
    """Be killed in the second process while the first waits for it."""
    team.wait()
    if team.rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    team.wait()


def say_so_and_hang(team, device):
    """Write a line to standard output, and never end."""
    os.write(1, f"rank {team.rank} is at work\n".encode())  # at once, as the other writes too
    time.sleep(600)
