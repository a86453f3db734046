"""Stage scans that cannot be stitched or matched: what is said of them, and what goes on."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest
import tifffile
from tiny_experiments import (
    SCAN_CAMERA,
    SCAN_EXPERIMENT,
    SCAN_INPUT_NM,
    SCAN_TARGET_NM,
    scanned,
    write_experiment,
    write_tiff,
)
from workflow_runs import refuse, snakemake

from crossres.images import Image, read_image, write_image

ACTIN = f"results/{SCAN_EXPERIMENT}/actin"
MESH = f"results/{SCAN_EXPERIMENT}/mesh"
TILE_PX = 128


def replace(path, write):
    """Put another image in one's place, so that Snakemake takes its folder for newer."""
    path.unlink()
    (path.parent / ".snakemake_timestamp").unlink(missing_ok=True)
    write(path)


def replace_tile(path, array, size_nm=SCAN_INPUT_NM):
    replace(path, lambda path: write_tiff(path, np.ascontiguousarray(array), size_nm))


def replace_mosaic(path, array):
    image = Image(np.ascontiguousarray(array), "YX", read_image(path).pixel_size_nm)
    replace(path, lambda path: write_image(path, image))


def said_in(folder, log):
    """What a job has logged, its times left out."""
    lines = (folder / "logs" / log).read_text().splitlines()
    return "\n".join(re.sub(r"^[\d-]+ [\d:]+ ", "", line) for line in lines)


@pytest.fixture(scope="module")
def faulty_tiles(finished_scans, tmp_path_factory):
    """Scans whose tiles are unrelated, of different sizes, and blank: a fault a scene."""
    folder = tmp_path_factory.mktemp("faulty_tiles") / "repository"
    shutil.copytree(finished_scans, folder)
    raw = folder / ACTIN / "raw" / "input"

    def tile(scene, name):
        return raw / scene / f"{scene}_{name}.tif"

    unrelated = {"r0c1": "validation_000", "r1c0": "test_000"}
    for name, other in unrelated.items():
        replace_tile(tile("train_000", name), tifffile.imread(tile(other, "r0c0")))
    mirrored = tifffile.imread(tile("validation_000", "r1c1"))[::-1]
    replace_tile(tile("train_000", "r1c1"), mirrored)
    smaller = tifffile.imread(tile("validation_000", "r1c0"))[:120]
    replace_tile(tile("validation_000", "r1c0"), smaller)
    rng = np.random.default_rng(1)
    noise = rng.normal(SCAN_CAMERA["offset"], SCAN_CAMERA["read_noise"], (TILE_PX, TILE_PX))
    replace_tile(tile("test_000", "r0c1"), noise.astype(np.uint16))
    path = folder / MESH / "raw" / "target" / "train_000" / "train_000_r0c1.tif"
    replace_tile(path, tifffile.imread(path)[:100], SCAN_TARGET_NM)
    targets = [f"{ACTIN}/tiles/input/{scene}_000.csv" for scene in ("train", "validation", "test")]
    targets += [f"{MESH}/stitched/target/train_000"]
    result = snakemake(folder, *targets, "--keep-going")
    assert result.code != 0, result.text
    return folder, result.text


@pytest.mark.parametrize(
    ("scene", "words"),
    [
        (
            "train_000",
            [
                f"{ACTIN}/imported/input/train_000, scene train_000: No two neighbouring tiles",
                "the best of 4 pairs correlates 0.",
                "at an overlap of 20%",
                "check the row and column of every tile",
            ],
        ),
        (
            "validation_000",
            [
                f"{ACTIN}/imported/input/validation_000, scene validation_000: Tile (1, 0) is "
                "120 x 128 px, where tile (0, 0) is 128 x 128 px",
            ],
        ),
    ],
    ids=["unrelated", "another size"],
)
def test_tiles_that_cannot_be_stitched_are_named(faulty_tiles, scene, words):
    folder, text = faulty_tiles
    log = said_in(folder, f"locate_tiles/{SCAN_EXPERIMENT}/actin/input_{scene}.log")
    for word in words:
        assert word in log
        assert word in text
    assert len(log.splitlines()) == 1
    assert not (folder / ACTIN / "tiles" / "input" / f"{scene}.csv").exists()


def test_a_blank_tile_is_placed_by_the_grid(faulty_tiles):
    folder, _ = faulty_tiles
    table = pd.read_csv(folder / ACTIN / "tiles" / "input" / "test_000.csv")
    table = table.set_index(["tile_row", "tile_col"])
    assert table.placed_by_grid[0, 1]
    assert table.placed_by_grid.sum() == 1
    assert abs(table.y_px[0, 1] - table.y_px[0, 0]) < 0.1 * TILE_PX
    assert abs(table.x_px[0, 1] - table.x_px[1, 1]) < 0.1 * TILE_PX
    log = said_in(folder, f"locate_tiles/{SCAN_EXPERIMENT}/actin/input_test_000.log")
    assert "row 0, column 1 shows nothing that its neighbours show: placed by the grid" in log
    assert "2 of 4 pairs of neighbours tied" in log


def test_a_tile_of_another_size_in_a_channel_placed_by_another_is_named(faulty_tiles):
    folder, _ = faulty_tiles
    log = said_in(folder, f"stitch_tiles/{SCAN_EXPERIMENT}/mesh/target_train_000.log")
    assert "Traceback" not in log
    assert "100 x 112" in log


def test_fields_that_do_not_fit_into_a_scan_are_refused(copy_of_scans):
    grid = {"rows": 1, "columns": 3, "size_px": 192}
    settings = scanned(source__stitch__fields=grid)
    write_experiment(copy_of_scans, settings, SCAN_EXPERIMENT, keep_stages=True)
    text = refuse(copy_of_scans, f"{ACTIN}/cut/train_000")
    mosaic = copy_of_scans / ACTIN / "stitched" / "input" / "train_000" / "train_000.ome.tif"
    height, width = read_image(mosaic).array.shape
    assert "source.stitch.fields: 1 x 3 fields of 96 input pixels need 96 x 288" in text
    assert f"the stitched input has {height} x {width}; ask for fewer or smaller fields" in text


@pytest.fixture(scope="module")
def faulty_targets(finished_scans, tmp_path_factory):
    """Targets of another place (train), mirrored (validation), and too small (test)."""
    folder = tmp_path_factory.mktemp("faulty_targets") / "repository"
    shutil.copytree(finished_scans, folder)

    def mosaic(scene):
        return folder / ACTIN / "stitched" / "target" / scene / f"{scene}.ome.tif"

    elsewhere = read_image(mosaic("test_000")).array
    replace_mosaic(mosaic("train_000"), elsewhere)
    replace_mosaic(mosaic("validation_000"), read_image(mosaic("validation_000")).array[:, ::-1])
    # reaches over the left field, and hardly into the right one
    replace_mosaic(mosaic("test_000"), elsewhere[:, : elsewhere.shape[1] // 2 + 20])
    targets = [f"{ACTIN}/patches/train.safetensors", f"{ACTIN}/registration.csv"]
    return folder, refuse(folder, *targets, "--keep-going")


@pytest.fixture(scope="module")
def registration(faulty_targets):
    return pd.read_csv(faulty_targets[0] / ACTIN / "registration.csv").set_index("field")


def test_fields_of_a_target_taken_elsewhere_are_left_out(registration):
    for row in registration[registration.batch == "train_000"].itertuples():
        assert not row.accepted
        assert row.coverage == 0
        assert row.reason.startswith("the target does not lie in the input: the best place")
        assert row.reason.endswith("registration.min_correlation is 0.2")


def test_without_a_training_field_the_run_stops_and_says_so(faulty_targets):
    _, text = faulty_targets
    assert "the registration accepted no train pair" in text
    assert f"see the column `reason` of {ACTIN}/registration/train_000.csv" in text


def test_a_mirrored_target_is_said_to_be_mirrored(registration):
    for row in registration[registration.batch == "validation_000"].itertuples():
        assert not row.accepted
        assert "fits only once it is mirrored left to right (correlation 0." in row.reason
        assert row.reason.endswith("correct its orientation before it is imported")


def test_a_field_that_the_target_does_not_reach_is_left_out_alone(registration):
    reached, missed = registration.loc["test_000_r0c0"], registration.loc["test_000_r0c1"]
    assert reached.accepted
    assert reached.coverage > 0.8
    assert not missed.accepted
    assert missed.coverage < 0.5
    words = f"the target covers {missed.coverage:.0%} of the input's field, which is too little"
    assert missed.reason == words


def test_what_is_left_out_has_no_target_to_learn_from(faulty_targets):
    folder, _ = faulty_targets
    pair = read_image(folder / ACTIN / "registered" / "train_000" / "train_000_r0c0.ome.tif")
    assert not pair.channel("target").any()
    assert pair.channel("input").any()
