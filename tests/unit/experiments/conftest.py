"""A small experiment that the schema allows, and a sheet with its files."""

import json

import pytest
import yaml

CAMERA = {"peak_photons": 30, "background_photons": 5, "gain": 1, "offset": 4, "read_noise": 3,
          "bit_depth": 8}  # fmt: skip
MODALITY = {"kind": "widefield", "na": 1.4, "refractive_index": 1.515, "wavelength_nm": 645,
            "pixel_size_nm": 30, "camera": CAMERA}  # fmt: skip
SIMULATED = {
    "title": "Beads",
    "source": {"simulator": {"sample": "beads", "field_px": 128,
                             "fields": {"train": 5, "validation": 2, "test": 3}}},
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
                    (tmp_path / cell).touch()
        fractions = {"train": 0.6, "validation": 0.2, "test": 0.2}
        return {"sheet": str(sheet), "data_root": str(tmp_path), "split_fractions": fractions}

    return write
