"""What the workflow's tests share: a copy of it to spoil, and two finished runs."""

import shutil

import pytest
from tiny_experiments import (
    EXPERIMENT,
    SCAN_EXPERIMENT,
    SCAN_TARGETS,
    scanned,
    simulated,
    write_experiment,
)
from workflow_runs import copy_workflow, succeed


@pytest.fixture
def workspace(tmp_path):
    """A copy of the workflow, nothing run yet."""
    return copy_workflow(tmp_path / "repository")


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The one run of the tiny experiment from end to end; tests leave it as it is."""
    folder = copy_workflow(tmp_path_factory.mktemp("finished") / "repository")
    write_experiment(folder, simulated(), EXPERIMENT)
    succeed(folder, "--cores", "all")
    return folder


@pytest.fixture(scope="session")
def results(finished):
    """Folder of the finished run's only channel."""
    return finished / "results" / EXPERIMENT / "beads"


@pytest.fixture
def finished_copy(finished, tmp_path):
    """A copy of the finished run, to change at will."""
    return shutil.copytree(finished, tmp_path / "repository")


@pytest.fixture(scope="session")
def finished_scans(tmp_path_factory):
    """The one run of the tiny stage scans, up to SCAN_TARGETS; tests leave it as it is."""
    folder = copy_workflow(tmp_path_factory.mktemp("finished_scans") / "repository")
    write_experiment(folder, scanned(), SCAN_EXPERIMENT)
    succeed(folder, *SCAN_TARGETS)
    return folder


@pytest.fixture
def copy_of_scans(finished_scans, tmp_path):
    """A copy of the finished stage scans, to change at will."""
    return shutil.copytree(finished_scans, tmp_path / "repository")
