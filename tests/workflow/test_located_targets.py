"""Targets that show a part of the input's field: found, registered there, and measured there."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter
from tiny_experiments import EXPERIMENT, of_sheet, write_experiment, write_sheet, write_tiff
from workflow_runs import copy_workflow, succeed

from crossres.images import read_image

CHANNEL = f"results/{EXPERIMENT}/beads"
INPUT_NM, TARGET_NM, WRONG_NM = 60, 30, 37.5
FIELD_PX = 256
"""Side of the input's field, in pixels of the target."""

CORNER_PX, PART_PX = (40, 66), (168, 152)
CROP_PX = 10
SPLITS = {"good": "train", "wrong": "train", "chosen": "validation", "blind": "test"}
SETTINGS = {
    "networks": {},
    "measure": {},
    "deconvolution": {"nnls": {"max_iterations": 3}},
    "registration": {"locate": True},
}


def draw_part(number):
    """Return spots at two pixel sizes: all of a field, and the part of it that the target shows."""
    rng = np.random.default_rng([11, number])
    objects = np.zeros((FIELD_PX, FIELD_PX))
    objects[tuple(rng.integers(0, FIELD_PX, (2, FIELD_PX)))] = 4000
    coarse = gaussian_filter(objects, 3).reshape(FIELD_PX // 2, 2, FIELD_PX // 2, 2).mean((1, 3))
    top, left = CORNER_PX
    fine = gaussian_filter(objects, 1.5)[top : top + PART_PX[0], left : left + PART_PX[1]]
    return [(i + rng.normal(10, 0.3, i.shape)).astype(np.float32) for i in (coarse, fine)]


@pytest.fixture(scope="module")
def channel(tmp_path_factory):
    """Folder of the channel, one of its training targets with a wrong pixel size."""
    folder = copy_workflow(tmp_path_factory.mktemp("located") / "repository")
    rows = []
    for number, (name, split) in enumerate(SPLITS.items()):
        whole, part = draw_part(number)
        write_tiff(folder / "data" / f"{name}_input.tif", whole, INPUT_NM)
        size_nm = WRONG_NM if name == "wrong" else TARGET_NM
        write_tiff(folder / "data" / f"{name}_target.tif", part, size_nm)
        row = {"field": name, "channel": "beads", "split": split}
        rows.append(row | {role: f"{name}_{role}.tif" for role in ("input", "target")})
    write_sheet(folder / "pairs.tsv", rows)
    write_experiment(folder, of_sheet(**SETTINGS))
    succeed(
        folder,
        *(f"{CHANNEL}/{name}" for name in ("metrics.csv", "restored/nnls")),
        f"{CHANNEL}/registration/train_000.csv",
    )
    return folder / CHANNEL


@pytest.fixture(scope="module")
def registration(channel):
    tables = [pd.read_csv(path) for path in (channel / "registration").glob("*.csv")]
    return pd.concat(tables).set_index("field")


@pytest.mark.parametrize("name", ["good", "chosen", "blind"])
def test_a_target_is_found_in_its_input(registration, name):
    row = registration.loc[name]
    assert row.accepted
    assert row.match_ratio == pytest.approx(INPUT_NM / TARGET_NM, rel=0.01)
    assert abs(row.match_rotation_degree) < 0.5
    assert (row.crop_y_px, row.crop_x_px) == pytest.approx(CORNER_PX, abs=1)
    assert row.coverage == pytest.approx(np.prod(PART_PX) / FIELD_PX**2, abs=0.02)
    assert row.correlation > 0.8


def test_the_part_that_both_show_is_registered(channel):
    pair = read_image(channel / "registered" / "test_000" / "blind.ome.tif")
    left_px = [side - 2 * CROP_PX for side in PART_PX]
    assert pair.array.shape[1:] == pytest.approx(left_px, abs=2)
    assert pair.corner_px == pytest.approx([c + CROP_PX for c in CORNER_PX], abs=1)
    # the same place of the input that was restored
    whole = read_image(channel / "resampled" / "test_000" / "blind.ome.tif").array
    y, x = pair.corner_px
    height, width = pair.array.shape[1:]
    np.testing.assert_array_equal(pair.channel("input"), whole[y : y + height, x : x + width])


def test_all_of_the_input_is_restored_and_the_part_is_measured(channel):
    restored = read_image(channel / "restored" / "nnls" / "blind.ome.tif")
    assert restored.array.shape == (FIELD_PX, FIELD_PX)
    metrics = pd.read_csv(channel / "metrics.csv")
    assert set(metrics.field) == {"blind"}
    assert np.isfinite(metrics.value[metrics.metric != "snr"]).all()
    closeness = metrics[metrics.metric == "pearson_r"].set_index("method").value
    pair = read_image(channel / "registered" / "test_000" / "blind.ome.tif").array
    assert closeness["input"] == pytest.approx(np.corrcoef(*map(np.ravel, pair))[0, 1], abs=1e-3)
    # it is measured at the same place: elsewhere it would have nothing in common with the target
    assert closeness["nnls"] > closeness["input"]


def test_a_wrong_pixel_size_is_said_with_the_ratio_that_fits(registration):
    row = registration.loc["wrong"]
    assert not row.accepted
    said = re.fullmatch(
        r"at the ratio of pixel sizes given, 1\.6, the target does not lie in the input "
        r"\(correlation 0\.\d\d\); at (\d[.\d]*) it does \(0\.\d\d\): correct the pixel sizes",
        row.reason,
    )
    assert said, row.reason
    assert float(said[1]) == pytest.approx(INPUT_NM / TARGET_NM, rel=0.02)
