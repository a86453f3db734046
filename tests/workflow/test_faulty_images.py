"""Images that cannot be used: each is named, with what was found and what to do."""

import numpy as np
import pytest
import tifffile
from tiny_experiments import (
    EXPERIMENT,
    SHEET_PX,
    draw_pair,
    of_sheet,
    read_sheet_rows,
    write_experiment,
    write_pairs,
    write_sheet,
    write_tiff,
)
from workflow_runs import copy_workflow, refuse, succeed

CHANNEL = f"results/{EXPERIMENT}/beads"
SPLITS = ["train", "train", "validation", "test"]
GOOD = draw_pair(0)["input"]


def with_pixel(value):
    array = GOOD.copy()
    array[5, 7] = value
    return array


def write_garbage(path):
    path.write_bytes(b"this is no image" * 64)


def write_truncated(path):
    write_tiff(path, GOOD)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def write_colour(path):
    colour = np.stack([GOOD.astype(np.uint8)] * 3, axis=-1)
    tifffile.imwrite(path, colour, photometric="rgb")


def write_unnamed_axis(path):
    tifffile.imwrite(path, np.stack([GOOD] * 3), photometric="minisblack", metadata=None)


def write_two_images(path):
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(GOOD, metadata=None)
        tiff.write(GOOD[:50, :40], metadata=None)


def write_oblong_pixels(path):
    tifffile.imwrite(
        path, GOOD, imagej=True, resolution=(1000 / 30, 1000 / 60), metadata={"unit": "um"}
    )


FAULTS = {
    "garbage": (write_garbage, ["cannot be read", "export it again"]),
    "empty": (lambda path: path.write_bytes(b""), ["cannot be read"]),
    "truncated": (write_truncated, ["truncated"]),
    "nan": (lambda path: write_tiff(path, with_pixel(np.nan)), ["1 NaN or Inf"]),
    "inf": (lambda path: write_tiff(path, with_pixel(np.inf)), ["1 NaN or Inf"]),
    "constant": (lambda path: write_tiff(path, np.full_like(GOOD, 7)), ["constant (7"]),
    "colour": (write_colour, ["colour image", f"({SHEET_PX}, {SHEET_PX}, 3)"]),
    "planes": (
        lambda path: write_tiff(path, np.stack([GOOD] * 3)),
        ["a volume of 3 slices", "Z=3"],
    ),
    "axes": (write_unnamed_axis, ["axes", f"(3, {SHEET_PX}, {SHEET_PX})"]),
    "images": (write_two_images, ["2 images"]),
    "oblong": (write_oblong_pixels, ["30 nm in x and 60 nm in y"]),
    "no-pixel-size": (
        lambda path: write_tiff(path, GOOD, None),
        ["no pixel size", "input_pixel_size_nm"],
    ),
    "other-pixel-size": (
        lambda path: write_tiff(path, GOOD),
        ["the file says 30 nm", "says 40 nm", "the sheet (line {line})"],
    ),
}


@pytest.fixture(scope="module")
def refusal(tmp_path_factory):
    """What a user sees of a batch in which every image but the first is faulty."""
    folder = copy_workflow(tmp_path_factory.mktemp("faulty") / "repository")
    write_pairs(folder, SPLITS)
    rows = [dict(row, input_pixel_size_nm="") for row in read_sheet_rows(folder / "pairs.tsv")]
    for name, (write, _) in FAULTS.items():
        write(folder / "data" / f"{name}.tif")
        write_tiff(folder / "data" / f"{name}_target.tif", GOOD)
        size = "40" if name == "other-pixel-size" else ""
        images = {"input": f"{name}.tif", "target": f"{name}_target.tif"}
        rows.append(rows[0] | images | {"field": name, "input_pixel_size_nm": size})
    write_sheet(folder / "pairs.tsv", rows)
    write_experiment(folder, of_sheet())
    return folder, refuse(folder, f"{CHANNEL}/imported/input/train_000")


@pytest.mark.parametrize("fault", FAULTS)
def test_every_faulty_image_of_a_batch_is_named_in_one_run(refusal, fault):
    _, text = refusal
    said = [line for line in text.splitlines() if f"data/{fault}.tif: " in line]
    assert said
    line = len(SPLITS) + 2 + list(FAULTS).index(fault)
    for words in FAULTS[fault][1]:
        assert words.format(line=line) in said[0]


def test_a_good_image_is_not_named_among_them(refusal):
    _, text = refusal
    assert not [line for line in text.splitlines() if "data/f0_input.tif: " in line]


def test_nothing_is_left_of_a_refused_batch(refusal):
    folder, _ = refusal
    assert not (folder / CHANNEL / "imported" / "input" / "train_000").exists()
    log = folder / "logs" / "import_images" / EXPERIMENT / "beads" / "input_train_000.log"
    assert "data/garbage.tif" in log.read_text()
    assert "Traceback" not in log.read_text()


def test_a_corrected_image_is_imported(workspace):
    write_pairs(workspace, SPLITS)
    write_experiment(workspace, of_sheet())
    write_garbage(workspace / "data" / "f1_input.tif")
    target = f"{CHANNEL}/imported/input/train_000"
    refuse(workspace, target)
    write_tiff(workspace / "data" / "f1_input.tif", draw_pair(1)["input"])
    succeed(workspace, target)


def test_a_pixel_size_of_the_sheet_stands_in_for_one_the_file_lacks(workspace):
    write_pairs(workspace, SPLITS, input_pixel_size_nm=["30"] * len(SPLITS))
    write_experiment(workspace, of_sheet())
    write_tiff(workspace / "data" / "f1_input.tif", draw_pair(1)["input"], None)
    succeed(workspace, f"{CHANNEL}/imported/input/train_000")


def test_a_pixel_size_that_contradicts_the_modality_is_refused(workspace):
    write_pairs(workspace, SPLITS)
    write_experiment(workspace, of_sheet(modalities__input__pixel_size_nm=25))
    text = refuse(workspace, f"{CHANNEL}/imported/input/train_000")
    assert "data/f0_input.tif: the file says 30 nm" in text
    assert "the experiment's modality says 25 nm" in text


def test_missing_images_are_named_with_their_lines(workspace):
    write_pairs(workspace, SPLITS)
    for name in ("f1_input.tif", "f2_target.tif"):
        (workspace / "data" / name).unlink()
    write_experiment(workspace, of_sheet())
    text = refuse(workspace, "--dry-run")
    for line, name in ((3, "input data/f1_input.tif"), (4, "target data/f2_target.tif")):
        assert f"pairs.tsv, line {line}: {name} does not exist" in text


def test_a_pair_of_different_fields_of_view_is_refused(workspace):
    write_pairs(workspace, SPLITS)
    write_tiff(workspace / "data" / "f1_target.tif", draw_pair(1)["target"][:60])
    write_experiment(workspace, of_sheet())
    text = refuse(workspace, f"{CHANNEL}/registered/train_000")
    assert f"field f1: the input covers ({SHEET_PX}, {SHEET_PX}) pixels" in text
    assert f"(60, {SHEET_PX})" in text


def test_patches_larger_than_the_fields_of_a_sheet_are_refused(workspace):
    write_pairs(workspace, SPLITS)
    write_experiment(workspace, of_sheet(patches__size_px=80))
    text = refuse(workspace, f"{CHANNEL}/patches/train.safetensors")
    left = SHEET_PX - 20
    assert f"patches.size_px is 80, but field f0 has only ({left}, {left}) pixels" in text
