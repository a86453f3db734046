"""What unit tests of several rooms share."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]

CAMERA = {"peak_photons": 30, "background_photons": 5, "gain": 1, "offset": 4, "read_noise": 3,
          "bit_depth": 8}  # fmt: skip
MODALITY = {"kind": "widefield", "na": 1.4, "refractive_index": 1.515, "wavelength_nm": 645,
            "pixel_size_nm": 30, "camera": CAMERA}  # fmt: skip
SIMULATED = {
    "title": "Beads",
    "source": {"simulator": {"sample": {"kind": "beads"},
                             "acquisition": {"kind": "pair", "field_px": 128,
                                             "fields": {"train": 5, "validation": 2, "test": 3}}}},
    "modalities": {"input": MODALITY, "target": MODALITY},
    "networks": {"cnn": {"iterations": 10}},
}  # fmt: skip
"""A small experiment, as its YAML file has it."""


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


@pytest.fixture
def settings():
    """An experiment that is allowed, to be changed; both modalities have their own dictionary."""
    return json.loads(json.dumps(SIMULATED))


@pytest.fixture
def write_experiment(tmp_path):
    """Write settings as <folder>/<name>.yaml and return the folder."""

    def write(settings, name="beads"):
        folder = tmp_path / "experiments"
        folder.mkdir(exist_ok=True)
        text = settings if isinstance(settings, str | bytes) else yaml.safe_dump(settings)
        content = text if isinstance(text, bytes) else text.encode()
        (folder / f"{name}.yaml").write_bytes(content)
        return folder

    return write
