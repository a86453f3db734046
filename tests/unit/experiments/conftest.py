"""A small experiment, and a sheet with its files."""

import json

import pytest
import yaml

from crossres.experiments import load_experiments
from crossres.settings import Config

CAMERA = {"peak_photons": 30, "background_photons": 5, "gain": 1, "offset": 4, "read_noise": 3,
          "bit_depth": 8}  # fmt: skip
MODALITY = {"kind": "widefield", "na": 1.4, "refractive_index": 1.515, "wavelength_nm": 645,
            "pixel_size_nm": 30, "camera": CAMERA}  # fmt: skip
FIELDS = {"train": 5, "validation": 2, "test": 3}
SIMULATED = {
    "title": "Beads",
    "source": {"simulator": {"sample": {"kind": "beads"},
                             "acquisition": {"kind": "pair", "field_px": 128, "fields": FIELDS}}},
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
        text = settings if isinstance(settings, str) else yaml.safe_dump(settings)
        (folder / f"{name}.yaml").write_text(text)
        return folder

    return write


@pytest.fixture
def load(write_experiment):
    """Load one experiment at the papers' scale, or all that a list of files names."""

    def load_one(settings, name="beads", fields_per_job=2, **config):
        folder = write_experiment(settings, name)
        config = Config(
            **{"experiments": [name], "scale": "paper", "fields_per_job": fields_per_job, **config}
        )
        return load_experiments(config, folder)[name]

    return load_one


@pytest.fixture
def write_sheet(tmp_path):
    """Write rows of cells as a sheet, make every file they name, and return the source."""

    def write(*rows, header="field channel input target split group", make_files=True):
        columns = header.split()
        lines = [columns, *(row.split() if isinstance(row, str) else row for row in rows)]
        # a dot stands for an empty cell
        lines = [["" if cell == "." else cell for cell in line] for line in lines]
        sheet = tmp_path / "sheet.tsv"
        sheet.write_text("".join("\t".join(line) + "\n" for line in lines))
        for line in lines[1:] if make_files else []:
            for name, cell in zip(columns, line, strict=False):
                if name in ("input", "target") and cell:
                    (tmp_path / cell).write_text(cell)
        fractions = {"train": 0.6, "validation": 0.2, "test": 0.2}
        return {"sheet": str(sheet), "data_root": str(tmp_path), "split_fractions": fractions}

    return write
