"""A small experiment that is allowed, to be changed, and a folder to write it to."""

import json

import pytest
import yaml

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


@pytest.fixture
def settings():
    # both modalities with a dictionary of their own
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
