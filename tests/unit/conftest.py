"""What unit tests of several rooms share."""

from pathlib import Path

import numpy as np
import pytest
import torch

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """One thread: tests are small, and a sum over threads need not be the same twice."""
    torch.set_num_threads(1)


@pytest.fixture
def rng():
    return np.random.default_rng(20190101)


@pytest.fixture(scope="session")
def real_images():
    """Folder of public images beside the repository, where there is one."""
    folder = REPOSITORY.parent / "shared" / "data" / "real"
    if not folder.is_dir():
        pytest.skip("no folder of real images beside the repository")
    return folder
