"""What the workflow's tests share: a copy of it to spoil, and a finished run of every kind."""

import shutil

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

FINISHED = ("finished", "finished_scans", "finished_sheet")
"""Runs that several modules read."""


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks at the groups
def pytest_collection_modifyitems(items):
    """Keep together what reads one run, so that pytest's workers make each run once.

    Tests that read none of :data:`FINISHED` are kept together by module, for the runs and plans
    that a module makes for itself.
    """
    for item in items:
        if "workflow" in item.path.parts:
            read = [name for name in FINISHED if name in item.fixturenames]
            item.add_marker(pytest.mark.xdist_group(read[0] if read else item.path.stem))


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
    """The one run of the tiny stage scans, up to SCAN_TARGETS; tests leave it as it is.

    Raw tiles and mosaics are kept: tests look at them, and make sheets of them.
    """
    folder = copy_workflow(tmp_path_factory.mktemp("finished_scans") / "repository")
    write_experiment(folder, scanned(), SCAN_EXPERIMENT, keep_stages=True)
    succeed(folder, *SCAN_TARGETS)
    return folder


@pytest.fixture
def copy_of_scans(finished_scans, tmp_path):
    """A copy of the finished stage scans, to change at will."""
    return shutil.copytree(finished_scans, tmp_path / "repository")


@pytest.fixture(scope="session")
def finished_sheet(tmp_path_factory):
    """The one run of a sheet's images, up to SHEET_TARGETS; tests leave it as it is."""
    folder = copy_workflow(tmp_path_factory.mktemp("finished_sheet") / "repository")
    write_pairs(folder, SHEET_SPLITS)
    write_experiment(folder, of_sheet(**SHEET_SETTINGS))
    succeed(folder, *SHEET_TARGETS)
    return folder


@pytest.fixture
def copy_of_sheet(finished_sheet, tmp_path):
    """A copy of the finished run of a sheet, to change at will."""
    return shutil.copytree(finished_sheet, tmp_path / "repository")
