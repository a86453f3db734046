"""New images are restored by a model alone: no experiment is run, no training data is there."""

import json

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
from workflow_runs import copy_workflow, plan, refuse, succeed

from crossres.images import Image, read_image, write_image
from crossres.networks import ModelFile, build, load_model, save_model
from crossres.preprocess import Scale

SETTINGS = {"width": 2, "depth": 1}
RESULTS = "results/restored_new"


@pytest.fixture
def images(workspace):
    """A folder of images: two that are whole, and three that are not."""
    for seed in range(2):
        torch.manual_seed(seed)
        network = build("care", **SETTINGS)
        scale = Scale(0.0, 100.0)
        about = ModelFile("care", SETTINGS, 2, scale, scale, 50.0)
        save_model(workspace / f"m{seed}.safetensors", network.state_dict(), about)
    folder = workspace / "day1"
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


def restore_new(*config, model="m0.safetensors"):
    """The call of a user, on the CPU and beside whatever experiments there are."""
    return ("restore_new", "--cores", "1", "--config", f"model={model}", "device=cpu", *config)


def test_images_are_restored_from_an_empty_folder_of_results(images, workspace):
    # the experiments that are configured may lie on another machine
    (workspace / "config" / "config.yaml").write_text("experiments: [not_here]\n")
    text = succeed(workspace, *restore_new("images=day1"), configured=False)
    assert "pixel_size_nm is 100 in the image and 50 in the model" in text
    folder = workspace / RESULTS / "m0"
    found = read_image(folder / "film.ome.tif")
    assert (found.axes, found.array.shape) == ("TCYX", (2, 2, 30, 33))
    assert found.channels == ("DAPI", "GFP")
    assert (found.pixel_size_nm, found.frame_interval_s) == pytest.approx((50, 2.5))
    assert read_image(folder / "large_pixels.ome.tif").array.shape == (30, 33)
    made = {path.name for path in folder.iterdir()} - {".restored.json", ".all_restored"}
    assert made == {"film.ome.tif", "large_pixels.ome.tif", "restored.csv"}
    assert [path.name for path in (workspace / "results").iterdir()] == ["restored_new"]

    again = succeed(workspace, *restore_new("images=day1"), configured=False)
    assert "Nothing to be done" in again


def test_an_image_that_cannot_be_restored_does_not_stop_the_others(images, workspace):
    spoil(images)
    settings = ("images=day1", "restored=out", "channel=GFP")
    text = refuse(workspace, *restore_new(*settings), configured=False)
    assert "4 of 5 images could not be restored" in text
    for name, fault in {
        "unknown_size.tif": "has no pixel_size_nm",
        "cut.tif": "is truncated",
        "scan.nd2": ".nd2 files are not read",
        "large_pixels.ome.tif": "has no channel 'GFP'",
    }.items():
        assert f"{name}: {fault}" in text
    before = (workspace / "out" / "film.ome.tif").stat().st_mtime_ns
    assert read_image(workspace / "out" / "film.ome.tif").axes == "TYX"

    # what was restored is kept, also of a run that failed in the end
    for name in ("unknown_size.tif", "cut.tif", "scan.nd2", "large_pixels.ome.tif"):
        (images / name).unlink()
    assert "1 restored images lie in out" in succeed(
        workspace, *restore_new(*settings), configured=False
    )
    assert (workspace / "out" / "film.ome.tif").stat().st_mtime_ns == before


def test_several_models_and_orientations_give_a_spread(images, workspace):
    models = "m0.safetensors,m1.safetensors"
    settings = ("images=day1/*.ome.tif", "self_ensemble=true", "restored=out")
    succeed(workspace, *restore_new(*settings, model=models), configured=False)
    spread = read_image(workspace / "out" / "spread" / "film.ome.tif")
    assert spread.metadata == read_image(workspace / "out" / "film.ome.tif").metadata
    assert spread.array.min() >= 0 < spread.array.max()
    done = json.loads((workspace / "out" / ".restored.json").read_text())
    assert set(done) == {"film.ome.tif", "large_pixels.ome.tif"}


@pytest.mark.parametrize(
    ("model", "config", "expected"),
    [
        ("gone.safetensors", ("images=day1",), "model: there is no file gone.safetensors"),
        ("m0.safetensors", (), "images is missing: name a folder, file or pattern"),
        ("m0.safetensors", ("images=day7",), "images: day7 is no folder, no file"),
        ("m0.safetensors", ("images=day1", "memory=3"), "memory is no known key"),
        ("m0.safetensors", ("images=day1", "axes=TXQ"), "axes"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(images, workspace, model, config, expected):
    text = refuse(workspace, *restore_new(*config, model=model), configured=False)
    assert expected in text
    assert not (workspace / "results" / "restored_new").exists()


def test_without_a_model_it_is_asked_for(workspace):
    text = refuse(workspace, "restore_new", "--cores", "1", configured=False)
    assert "model is missing, as in `snakemake restore_new --config" in text


def test_a_damaged_model_ends_in_one_sentence(images, workspace):
    content = (workspace / "m0.safetensors").read_bytes()
    (workspace / "m0.safetensors").write_bytes(content[:-50])
    text = refuse(workspace, *restore_new("images=day1"), configured=False)
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
    succeed(folder, f"{CHANNEL}/restored/cnn", "--cores", "all")
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
    _, about = load_model(trained / MODEL)
    assert about.background > 0
    assert about.interpolation_order == 3
    assert about.input_pixel_size_nm == pytest.approx(INPUT_PIXEL_NM)
    raw = f"images={CHANNEL}/raw/input/test_000"
    text = succeed(trained, *restore_new(raw, "restored=out", model=MODEL), configured=False)
    assert "nm is" not in text  # nothing to warn of
    assert max(differences(trained, "out")) < 1e-4


def test_what_is_said_of_the_background_counts(trained):
    upsampled = f"images={CHANNEL}/upsampled/test_000"
    succeed(
        trained,
        *restore_new(upsampled, "restored=same", "background=0", model=MODEL),
        configured=False,
    )
    assert max(differences(trained, "same")) == 0
    raw = f"images={CHANNEL}/raw/input/test_000"
    succeed(
        trained, *restore_new(raw, "restored=raw", "background=0", model=MODEL), configured=False
    )
    assert min(differences(trained, "raw")) > 1e-3


def ensembles(workspace, **restoration):
    """The jobs of ensembles of an experiment with two seeds of one network, by restoration."""
    settings = simulated(networks__cnn__seeds=[0, 1], deconvolution={}, restoration=restoration)
    write_experiment(workspace, settings)
    jobs = [job for job in plan(workspace) if job.rule in ("restore_fields", "restore_ensembles")]
    assert len({job.wildcards["restoration"] for job in jobs}) == len(jobs)
    return {job.wildcards["restoration"]: job for job in jobs if job.rule == "restore_ensembles"}


def test_an_experiment_has_no_spread_unless_it_is_asked_for(workspace):
    assert ensembles(workspace) == {}


def test_the_mean_of_all_seeds_is_restored_with_its_spread(workspace):
    (job,) = ensembles(workspace, seed_ensemble=True).values()
    channel = f"results/{EXPERIMENT}/beads"
    assert job.outputs == [f"{channel}/restored/cnn_ensemble", f"{channel}/spread/cnn_ensemble"]
    models = [f"{channel}/models/cnn/seed_{seed}/model.safetensors" for seed in (0, 1)]
    assert job.inputs[:2] == models


def test_with_a_self_ensemble_every_restoration_has_a_spread(workspace):
    found = ensembles(workspace, self_ensemble=True)
    assert set(found) == {"gan", "cnn", "cnn.seed_1"}
    assert all(f"/spread/{name}" in job.outputs[1] for name, job in found.items())
