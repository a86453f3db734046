"""New images are restored by a model alone: no experiment is run, no training data is there."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tifffile
import torch
from tiny_experiments import (
    EXPERIMENT,
    FIELD_PX,
    INPUT_PIXEL_NM,
    PIXEL_NM,
    simulated,
    write_experiment,
)
from workflow_runs import REPOSITORY, copy_workflow, environment, plan, succeed

from crossres.images import Image, read_image, write_image
from crossres.networks import ModelFile, build, load_model, save_model
from crossres.preprocess import Scale

SETTINGS = {"width": 2, "depth": 1}
RESULTS = "results/restored_new"
COMMAND = REPOSITORY / "workflow" / "scripts" / "restore_new.py"


@pytest.fixture
def images(tmp_path):
    """A folder of two images, with two models beside it."""
    for seed in range(2):
        torch.manual_seed(seed)
        network = build("care", **SETTINGS)
        scale = Scale(0.0, 100.0)
        model_file = ModelFile("care", SETTINGS, 2, scale, scale, 50.0)
        save_model(tmp_path / f"m{seed}.safetensors", network.state_dict(), model_file)
    folder = tmp_path / "day1"
    folder.mkdir()
    rng = np.random.default_rng(1)
    film = rng.integers(0, 200, (2, 2, 30, 33), dtype=np.uint16)
    names = ("DAPI", "GFP")
    write_image(folder / "film.ome.tif", Image(film, "TCYX", 50.0, None, names, (0, 0), 2.5))
    write_image(folder / "large_pixels.ome.tif", Image(film[0, 0], "YX", 100.0))
    return folder


def spoil(folder):
    """Add images that cannot be restored."""
    tifffile.imwrite(folder / "unknown_size.tif", np.eye(20, dtype=np.uint8), metadata=None)
    whole = (folder / "film.ome.tif").read_bytes()
    (folder / "cut.tif").write_bytes(whole[: len(whole) // 2])
    (folder / "scan.nd2").write_bytes(b"nikon")


def restore_new(folder, *arguments):
    """Call the command as a user would, on the CPU; return its exit code and what it wrote."""
    done = subprocess.run(
        [sys.executable, COMMAND, "--device", "cpu", "--threads", "1", *arguments],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=600,
    )
    return done.returncode, done.stdout.decode(errors="replace")


def restored(folder, *arguments):
    code, text = restore_new(folder, *arguments)
    assert code == 0, text
    return text


def refused(folder, *arguments):
    code, text = restore_new(folder, *arguments)
    assert code == 1, text
    assert "Traceback" not in text
    return text


def test_images_are_restored_with_a_model_alone(images, tmp_path):
    (images / "notes.txt").touch()
    text = restored(tmp_path, "m0.safetensors", "day1")
    assert "pixel_size_nm is 100 in the image and 50 in the model" in text
    assert "skipped: 1 files that are no TIFF, such as day1/notes.txt" in text
    folder = tmp_path / RESULTS / "m0"
    assert f"2 restored images lie in {RESULTS}/m0" in text
    found = read_image(folder / "film.ome.tif")
    assert (found.axes, found.array.shape) == ("TCYX", (2, 2, 30, 33))
    assert found.channels == ("DAPI", "GFP")
    assert (found.pixel_size_nm, found.frame_interval_s) == pytest.approx((50, 2.5))
    assert read_image(folder / "large_pixels.ome.tif").array.shape == (30, 33)
    made = {path.name for path in folder.iterdir()} - {".restored.json"}
    images = {"film.ome.tif", "large_pixels.ome.tif"}
    assert made == images | {"restored.csv", "restore_new.log"}
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["restored_new"]

    times = {name: (folder / name).stat().st_mtime_ns for name in images}
    restored(tmp_path, "m0.safetensors", "day1")
    assert {name: (folder / name).stat().st_mtime_ns for name in images} == times
    assert "film.ome.tif: kept" in (folder / "restore_new.log").read_text()


def test_an_image_that_cannot_be_restored_does_not_stop_the_others(images, tmp_path):
    spoil(images)
    arguments = ("m0.safetensors", "day1", "--out", "out", "--channel", "GFP")
    text = refused(tmp_path, *arguments)
    assert "4 of 5 images could not be restored" in text
    for name, fault in {
        "unknown_size.tif": "has no pixel_size_nm",
        "cut.tif": "is truncated",
        "scan.nd2": ".nd2 files are not read",
        "large_pixels.ome.tif": "has no channel 'GFP'",
    }.items():
        assert f"{name}: {fault}" in text
        assert f"{name}: {fault}" in (tmp_path / "out" / "restore_new.log").read_text()
    before = (tmp_path / "out" / "film.ome.tif").stat().st_mtime_ns
    assert read_image(tmp_path / "out" / "film.ome.tif").axes == "TYX"

    # what was restored is kept, also of a run that failed in the end
    for name in ("unknown_size.tif", "cut.tif", "scan.nd2", "large_pixels.ome.tif"):
        (images / name).unlink()
    assert "1 restored images lie in out" in restored(tmp_path, *arguments)
    assert (tmp_path / "out" / "film.ome.tif").stat().st_mtime_ns == before


def test_several_models_and_orientations_give_a_spread(images, tmp_path):
    restored(
        tmp_path, "m0.safetensors", "--with", "m1.safetensors", "--self-ensemble", "--out", "out",
        "day1/*.ome.tif",
    )  # fmt: skip
    spread = read_image(tmp_path / "out" / "spread" / "film.ome.tif")
    assert spread.metadata == read_image(tmp_path / "out" / "film.ome.tif").metadata
    assert spread.array.min() >= 0 < spread.array.max()
    done = json.loads((tmp_path / "out" / ".restored.json").read_text())
    assert set(done) == {"film.ome.tif", "large_pixels.ome.tif"}
    text = refused(tmp_path, "m0.safetensors", "day1", "--out", "out")
    assert "out: holds images that were restored by" in text


@pytest.mark.parametrize("name", ["pos{1}, a", "caf\udce9", "2024-01-15"])
def test_no_name_of_a_file_is_special(images, tmp_path, name):
    os.rename(images / "film.ome.tif", images / f"{name}.ome.tif")  # noqa: PTH104
    os.rename(images, tmp_path / name)  # noqa: PTH104
    restored(tmp_path, "m0.safetensors", name, "--out", f"out {name}")
    found = (tmp_path / f"out {name}").glob("*.ome.tif")
    assert {path.name for path in found} == {f"{name}.ome.tif", "large_pixels.ome.tif"}
    assert len((tmp_path / f"out {name}" / "restored.csv").read_text("utf-8").splitlines()) == 3


def test_what_is_wrong_is_said_before_anything_runs(images, tmp_path):
    text = refused(tmp_path, "gone.safetensors", "day1")
    assert text.startswith("crossres: there is no model gone.safetensors")
    assert len(text.splitlines()) == 1
    assert not (tmp_path / "results").exists()


def test_a_damaged_model_ends_in_one_sentence(images, tmp_path):
    content = (tmp_path / "m0.safetensors").read_bytes()
    (tmp_path / "m0.safetensors").write_bytes(content[:-50])
    text = refused(tmp_path, "m0.safetensors", "day1")
    assert "m0.safetensors: is no complete safetensors file" in text


CHANNEL = f"results/{EXPERIMENT}/beads"
MODEL = f"{CHANNEL}/models/cnn/seed_0/model.safetensors"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run with a background that is subtracted, up to the fields restored by one network."""
    folder = copy_workflow(tmp_path_factory.mktemp("trained") / "repository")
    background = {"method": "find", "region_px": 16}
    preprocess = {"background": background, "interpolation_order": 3}
    write_experiment(folder, simulated(preprocess=preprocess))
    succeed(
        folder,
        f"{CHANNEL}/restored/cnn",
        f"{CHANNEL}/resampled/test_000",
        "--notemp",
        "--cores",
        "all",
    )
    return folder


def differences(folder, name):
    """How far new images are from what the workflow restored, in parts of the range."""
    fields = sorted((folder / CHANNEL / "restored" / "cnn").glob("*.ome.tif"))
    assert len(fields) == 2
    for path in fields:
        expected, found = read_image(path), read_image(folder / name / path.name)
        assert found.array.shape == expected.array.shape == (FIELD_PX, FIELD_PX)
        assert found.pixel_size_nm == pytest.approx(PIXEL_NM)
        yield np.abs(found.array - expected.array).max() / np.ptp(expected.array)


def test_raw_images_of_the_trainings_microscope_are_restored_as_the_workflow_does(trained):
    _, model_file = load_model(trained / MODEL)
    assert model_file.background > 0
    assert model_file.interpolation_order == 3
    assert model_file.input_pixel_size_nm == pytest.approx(INPUT_PIXEL_NM)
    text = restored(trained, MODEL, f"{CHANNEL}/raw/input/test_000", "--out", "out")
    assert "nm is" not in text  # nothing to warn of
    assert max(differences(trained, "out")) < 1e-4


def test_what_is_said_of_the_background_counts(trained):
    resampled, raw = f"{CHANNEL}/resampled/test_000", f"{CHANNEL}/raw/input/test_000"
    restored(trained, MODEL, resampled, "--out", "same", "--background", "0")
    assert max(differences(trained, "same")) == 0
    restored(trained, MODEL, raw, "--out", "raw", "--background", "0")
    assert min(differences(trained, "raw")) > 1e-3


def jobs_of(workspace, rule, **restoration):
    """The jobs of a rule, of an experiment with two seeds of one network, by restoration."""
    settings = simulated(networks__cnn__seeds=[0, 1], deconvolution={}, restoration=restoration)
    write_experiment(workspace, settings)
    jobs = [job for job in plan(workspace) if job.rule == rule]
    found = {job.wildcards["restoration"]: job for job in jobs}
    assert len(found) == len(jobs)
    return found


def test_every_seed_is_restored_by_itself(workspace):
    found = jobs_of(workspace, "restore_fields")
    assert set(found) == {"gan", "cnn", "cnn.seed_1"}


def test_the_mean_of_all_seeds_is_one_more_restoration(workspace):
    found = jobs_of(workspace, "restore_fields", seed_ensemble=True)
    assert set(found) == {"gan", "cnn", "cnn.seed_1", "cnn_ensemble"}
    models = [f"{CHANNEL}/models/cnn/seed_{seed}/model.safetensors" for seed in (0, 1)]
    assert found["cnn_ensemble"].inputs[:2] == models
    collected = jobs_of(workspace, "collect_restored", seed_ensemble=True)
    assert collected["cnn_ensemble"].outputs == [f"{CHANNEL}/restored/cnn_ensemble"]
