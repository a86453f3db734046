"""What the workflow's tests share: a copy of it to spoil, and a finished run of every kind."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_experiments import (
    EXPERIMENT,
    SCAN_EXPERIMENT,
    SCAN_TARGETS,
    SHEET_SETTINGS,
    SHEET_SPLITS,
    SHEET_TARGETS,
    of_sheet,
    scanned,
    simulated,
    write_experiment,
    write_pairs,
)
from workflow_runs import copy_workflow, succeed


@pytest.fixture(scope="session")
def run_once(tmp_path_factory):
    """Return a function that runs the workflow once for all of xdist's workers.

    The first worker that asks runs it, the others wait; each has a copy of its own.
    """
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def finished(name: str, run: Callable[[Path], None]) -> Path:
        folder, done = shared / f"once_{name}", shared / f"once_{name}.done"
        with done.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                run(copy_workflow(folder))
                done.touch()
        return Path(shutil.copytree(folder, own / name / "repository"))

    return finished


@pytest.fixture
def workspace(tmp_path):
    """A copy of the workflow, nothing run yet."""
    return copy_workflow(tmp_path / "repository")


@pytest.fixture(scope="session")
def finished(run_once):
    """The one run of the tiny experiment from end to end; tests leave it as it is."""

    def run(folder):
        write_experiment(folder, simulated(), EXPERIMENT)
        succeed(folder, "--cores", "all")

    return run_once("finished", run)


@pytest.fixture(scope="session")
def results(finished):
    """Folder of the finished run's only channel."""
    return finished / "results" / EXPERIMENT / "beads"


@pytest.fixture
def finished_copy(finished, tmp_path):
    """A copy of the finished run, to change at will."""
    return shutil.copytree(finished, tmp_path / "repository")


@pytest.fixture(scope="session")
def finished_scans(run_once):
    """The one run of the tiny stage scans, up to SCAN_TARGETS; tests leave it as it is.

    Raw tiles and mosaics are kept: tests look at them, and make sheets of them.
    """

    def run(folder):
        write_experiment(folder, scanned(), SCAN_EXPERIMENT, keep_stages=True)
        succeed(folder, *SCAN_TARGETS)

    return run_once("finished_scans", run)


@pytest.fixture
def copy_of_scans(finished_scans, tmp_path):
    """A copy of the finished stage scans, to change at will."""
    return shutil.copytree(finished_scans, tmp_path / "repository")


@pytest.fixture(scope="session")
def finished_sheet(run_once):
    """The one run of a sheet's images, up to SHEET_TARGETS; tests leave it as it is."""

    def run(folder):
        write_pairs(folder, SHEET_SPLITS)
        write_experiment(folder, of_sheet(**SHEET_SETTINGS))
        succeed(folder, *SHEET_TARGETS)

    return run_once("finished_sheet", run)


@pytest.fixture
def copy_of_sheet(finished_sheet, tmp_path):
    """A copy of the finished run of a sheet, to change at will."""
    return shutil.copytree(finished_sheet, tmp_path / "repository")
