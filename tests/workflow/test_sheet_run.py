"""Images of a sheet, from file to table: background, pixel sizes, and fields without a target."""

import json

import numpy as np
import pandas as pd
import pytest
import tifffile
from tiny_experiments import EXPERIMENT, PIXEL_NM, SHEET_SPLITS

from crossres.images import read_image


@pytest.fixture(scope="module")
def channel(finished_sheet):
    """Folder of the channel, the fields f3 (test) and f4 (apply) restored."""
    return finished_sheet / "results" / EXPERIMENT / "beads"


def test_fields_to_apply_to_are_restored(channel):
    for name in ("f3", "f4"):
        image = read_image(channel / "restored" / "nnls" / f"{name}.ome.tif")
        assert image.pixel_size_nm == pytest.approx(PIXEL_NM)


def test_restored_fields_of_all_batches_lie_in_one_folder(channel):
    batches = channel / "restored_batches" / "nnls"
    assert sorted(path.name for path in batches.iterdir()) == ["apply_000", "test_000"]
    for path in batches.rglob("*.ome.tif"):
        assert (channel / "restored" / "nnls" / path.name).read_bytes() == path.read_bytes()


def test_fields_to_apply_to_are_not_measured(channel):
    table = pd.read_csv(channel / "metrics.csv")
    assert set(table.field) == {"f3"}
    assert set(table.data) == {"measured"}
    assert not (channel / "registered" / "apply_000").exists()


def test_measured_images_are_compared_with_no_truth(channel):
    table = pd.read_csv(channel / "metrics.csv")
    assert set(table.method) == {"input", "target", "nnls"}
    assert not table.metric.str.endswith("_truth").any()


def test_one_background_is_subtracted_from_every_field(channel):
    constants = json.loads((channel / "constants.json").read_text())
    # the images were written with a background of 10
    assert constants["input"]["background"] == pytest.approx(10, abs=0.2)
    assert constants["target"]["background"] == pytest.approx(10, abs=0.2)
    for number, split in enumerate(SHEET_SPLITS):
        if split == "train":  # without networks, only the first batch's background is asked for
            continue
        raw = tifffile.imread(channel.parents[2] / "data" / f"f{number}_input.tif")
        batch = channel / "resampled" / f"{split}_000"
        # both pixel sizes are the same: nothing but the background changed
        left = read_image(batch / f"f{number}.ome.tif").array
        expected = np.clip(raw - constants["input"]["background"], 0, None)
        np.testing.assert_allclose(left, expected, atol=1e-3)


def test_stages_that_are_passed_through_are_deleted(channel):
    for stage in ("imported", "subtracted"):
        assert not list((channel / stage).rglob("*.tif"))
