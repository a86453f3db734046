"""Images of a sheet, from file to table: background, pixel sizes, and fields without a target."""

import numpy as np
import pandas as pd
import pytest
from tiny_experiments import EXPERIMENT, PIXEL_NM, of_sheet, write_experiment, write_pairs
from workflow_runs import copy_workflow, succeed

from crossres.images import read_image

CHANNEL = f"results/{EXPERIMENT}/beads"
SETTINGS = {
    "networks": {},
    "deconvolution": {"nnls": {"max_iterations": 3}},
    "preprocess__background": {"method": "find", "region_px": 16},
}


@pytest.fixture(scope="module")
def channel(tmp_path_factory):
    """Folder of the channel, the fields f3 (test) and f4 (apply) restored."""
    folder = copy_workflow(tmp_path_factory.mktemp("sheet") / "repository")
    write_pairs(folder, ["train", "train", "validation", "test", "apply"])
    write_experiment(folder, of_sheet(**SETTINGS))
    succeed(folder, f"{CHANNEL}/metrics.csv")
    return folder / CHANNEL


def test_fields_to_apply_to_are_restored(channel):
    for name in ("f3", "f4"):
        image = read_image(channel / "restored" / "nnls" / f"{name}.ome.tif")
        assert image.pixel_size_nm == pytest.approx(PIXEL_NM)


def test_fields_to_apply_to_are_not_measured(channel):
    table = pd.read_csv(channel / "metrics.csv")
    assert set(table.field) == {"f3"}
    assert set(table.data) == {"measured"}
    assert not (channel / "registered" / "apply_000").exists()


def test_one_background_is_subtracted_from_every_field(channel):
    constants = []
    for batch, name in (("validation_000", "f2"), ("test_000", "f3"), ("apply_000", "f4")):
        before, after = (
            read_image(channel / stage / "input" / batch / f"{name}.ome.tif").array
            for stage in ("imported", "subtracted")
        )
        assert after.min() >= 0
        bright = before > before.mean()
        constants += [(before[bright] - after[bright]).mean()]
    # the images were written with a background of 10
    assert constants == pytest.approx([10] * 3, abs=0.2)
    assert np.ptp(constants) < 1e-3
