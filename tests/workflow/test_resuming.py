"""A training killed in the middle goes on, and ends with the same model to the last byte."""

import os
import shutil
import signal
import subprocess
import time

import pytest
from tiny_experiments import EXPERIMENT, simulated, write_experiment
from workflow_runs import command, environment, snakemake, succeed

MODEL = f"results/{EXPERIMENT}/beads/models/gan/seed_0/model.safetensors"
LOG = f"logs/train_network/{EXPERIMENT}/beads/gan_seed_0.log"
LONGER = {"networks__gan__iterations": 300, "networks__gan__validate_every": 20}
PATIENCE_S = 120


@pytest.fixture
def longer_run(finished_copy):
    """The finished run with a longer training ahead, from the same patches."""
    write_experiment(finished_copy, simulated(**LONGER))
    shutil.rmtree((finished_copy / MODEL).parent)
    return finished_copy


def kill_in_training(folder, state):
    """Start the training, and kill Snakemake and all it started once a state is saved."""
    with subprocess.Popen(
        command(MODEL, "--cores", "1"),
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            deadline = time.monotonic() + PATIENCE_S
            while not state.exists():
                assert process.poll() is None, "the training ended before it could be killed"
                assert time.monotonic() < deadline, "no state was saved"
                time.sleep(0.005)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def test_a_killed_training_ends_with_the_same_model(longer_run, tmp_path):
    whole = shutil.copytree(longer_run, tmp_path / "whole")
    succeed(whole, MODEL, "--cores", "1")

    state = (longer_run / MODEL).with_name("training_state.pt")
    kill_in_training(longer_run, state)
    assert not (longer_run / MODEL).exists()
    locked = snakemake(longer_run, MODEL, "--cores", "1")
    assert locked.code != 0
    assert "--unlock" in locked.text
    succeed(longer_run, "--unlock")
    succeed(longer_run, MODEL, "--cores", "1", "--rerun-incomplete")

    assert "resuming at iteration" in (longer_run / LOG).read_text()
    assert "resuming at iteration" not in (whole / LOG).read_text()
    assert (longer_run / MODEL).read_bytes() == (whole / MODEL).read_bytes()
    history = "history.csv"
    assert (longer_run / MODEL).with_name(history).read_bytes() == (
        (whole / MODEL).with_name(history).read_bytes()
    )


def test_a_state_of_other_settings_is_not_taken_up(finished_copy):
    write_experiment(finished_copy, simulated(networks__gan__learning_rate=5e-4))
    assert (finished_copy / MODEL).with_name("training_state.pt").exists()
    succeed(finished_copy, MODEL, "--cores", "1")
    log = (finished_copy / LOG).read_text()
    assert "training begins anew" in log
    assert "resuming at iteration" not in log
