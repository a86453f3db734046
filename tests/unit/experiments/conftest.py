"""Loaded experiments, and a sheet with its files."""

import pytest

from crossres.experiments import load_experiments
from crossres.settings import Config


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
