"""What train_network.py makes of patches: a model, its history, and one sentence on error."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from training_runs import PLAIN, against, assert_same_weights, changed, make_data, poisoned

import train_network as script
from crossres.catalogue.networks import CARE, CNN, DFCAN, GAN, NETWORKS, RCAN
from crossres.jobs import InputError
from crossres.networks import ModelFile, build, load_model, save_model
from crossres.patches import PatchSet, save_patches
from crossres.preprocess import Scale
from crossres.training import Foreground, ProcessGroup, Recipe, TrainingData, launch
from crossres.training.batches import ANY_CROP

SETTINGS = CNN(**PLAIN.as_params())
RECIPE = Recipe("cnn", SETTINGS, ANY_CROP, dims=2, seed=0)
PROVENANCE = {
    "experiment": "beads",
    "channel": "red",
    "scale": "demo",
    "data": "simulated",
    "code": "abc",
}
RAW = (101.5, 65.0, 3)
SCALES = {"input": Scale(10.0, 200.0), "target": Scale(20.0, 300.0)}


def write_data(folder, data=None, z_step_nm=None):
    data = data or make_data()
    parts = {"train": (data.train_inputs, data.train_targets),
             "validation": (data.validation_inputs, data.validation_targets)}  # fmt: skip
    paths = {name: folder / f"{name}.safetensors" for name in parts}
    for name, path in paths.items():
        inputs, targets = parts[name]
        done = SCALES, 30.0, None, *RAW, z_step_nm
        save_patches(path, PatchSet(*done, inputs=inputs, targets=targets))
    return paths


@pytest.fixture
def job(tmp_path):
    """The script's arguments, without the process group."""
    outputs = {"model": tmp_path / "seed" / "model.safetensors",
               "history": tmp_path / "seed" / "history.csv"}  # fmt: skip
    return {"patches": write_data(tmp_path), "initial": None, "recipe": RECIPE,
            "provenance": PROVENANCE, "device": "cpu", "threads": 1,
            "outputs": outputs}  # fmt: skip


def train(job, **changes):
    job = {**job, **changes}
    launch(1, script.train_network, **job)
    return load_model(job["outputs"]["model"])


def write_model(path, network="cnn", dims=2, pooling_px=None, **sizes):
    """A model of random weights, and these."""
    shape = NETWORKS[network](iterations=1, **sizes).architecture
    shape |= {"pooling_px": pooling_px} if pooling_px else {}
    model = build(network, dims, **shape)
    scales = SCALES["input"], SCALES["target"]
    save_model(path, model.state_dict(), ModelFile(network, shape, dims, *scales, 30.0))
    return model.state_dict()


def test_the_model_says_what_it_is_and_where_it_comes_from(job):
    _, model_file = train(job)
    history = pd.read_csv(job["outputs"]["history"])
    kept = history[history.kept].iloc[0]
    assert (model_file.network, model_file.dims, model_file.settings) == (
        "cnn",
        2,
        SETTINGS.architecture,
    )
    assert (model_file.input_scale, model_file.target_scale) == (SCALES["input"], SCALES["target"])
    assert model_file.pixel_size_nm == 30.0
    assert (
        model_file.background,
        model_file.input_pixel_size_nm,
        model_file.interpolation_order,
    ) == RAW
    assert PROVENANCE.items() <= model_file.trained.items()
    assert model_file.trained["seed"] == 0
    assert model_file.trained["iterations"] == 8
    assert model_file.trained["kept_iteration"] == kept.iteration
    assert model_file.trained["validation_mse"] == pytest.approx(kept.validation_mse)


def test_the_best_scores_weights_are_those_in_the_file(job, monkeypatch):
    found = {}

    def note(*arguments):
        found["weights"], history = train_(*arguments)
        return found["weights"], history

    train_ = script.train
    monkeypatch.setattr(script, "train", note)
    model, _ = train(job)
    assert_same_weights(model.state_dict(), found["weights"])


@pytest.mark.parametrize(("crop_px", "side"), [(None, 20), (16, 16)])
def test_attention_pools_over_what_is_trained_on(job, crop_px, side, tmp_path):
    settings = RCAN(
        iterations=2, batch=2, crop_px=crop_px, width=4, groups=1, blocks=1, reduction=2
    )
    patches = write_data(tmp_path / "larger", make_data(side_px=20))
    recipe = replace(RECIPE, network="rcan", settings=settings)
    _, model_file = train(job, patches=patches, recipe=recipe)
    assert tuple(model_file.settings["pooling_px"]) == (side, side)


@pytest.mark.parametrize(
    ("network", "settings"),
    [
        ("rcan", RCAN(iterations=4, batch=2, width=4, groups=1, blocks=1, reduction=2, crop_px=16)),
        ("care", CARE(iterations=4, batch=2, width=4)),
    ],
)
def test_volumes_are_trained_on_and_their_z_step_is_kept(job, network, settings, tmp_path):
    rng = np.random.default_rng(0)
    inputs, targets = rng.random((2, 6, 5, 20, 20)).astype(np.float32)
    # validation fields need not be as deep as the patches
    fields = [[image[:, :18] for image in images[4:]] for images in (inputs, targets)]
    volumes = TrainingData(inputs[:4, :4], targets[:4, :4], *fields)
    patches = write_data(tmp_path / "volumes", volumes, z_step_nm=160.0)
    recipe = replace(RECIPE, network=network, settings=settings, dims=3)
    model, model_file = train(job, patches=patches, recipe=recipe)
    assert (model_file.dims, model_file.z_step_nm) == (3, 160.0)
    if network == "rcan":
        assert model.pooling_px == (4, 16, 16)
    with torch.inference_mode():
        assert model(torch.rand(1, 1, 7, 30, 22)).shape == (1, 1, 7, 30, 22)


def test_a_network_is_fine_tuned_from_where_another_ended(job, tmp_path):
    initial = tmp_path / "initial.safetensors"
    weights = write_model(initial, width=2, depth=1)
    still = changed(SETTINGS, learning_rate=1e-20)
    model, _ = train(job, initial=initial, recipe=replace(RECIPE, settings=still))
    assert_same_weights(model.state_dict(), weights)
    history = pd.read_csv(job["outputs"]["history"])
    # nothing after is better than what came
    assert history.iteration[history.kept].tolist() == [0]


@pytest.mark.parametrize(
    ("network", "dims", "shape", "words"),
    [
        ("cnn", 2, {"width": 3, "depth": 1}, ["a 2D cnn with", "'width': 3", "'width': 2"]),
        ("gan", 2, {"width": 2, "depth": 1}, ["is a 2D gan", "expected a 2D cnn"]),
        ("care", 3, {"width": 2, "depth": 1}, ["is a 3D care", "expected a 2D cnn"]),
    ],
)
def test_a_model_of_another_architecture_is_refused(job, tmp_path, network, dims, shape, words):
    initial = tmp_path / "initial.safetensors"
    write_model(initial, network, dims, **shape)
    with pytest.raises(InputError) as fault:
        train(job, initial=initial)
    for word in ["networks.cnn.initialise_from", str(initial), "same architecture", *words]:
        assert word in str(fault.value)


def test_a_model_of_volumes_is_no_beginning_for_images(tmp_path):
    initial = tmp_path / "initial.safetensors"
    write_model(initial, "care", 3, width=2, depth=1)
    with pytest.raises(InputError, match=r"is a 3D care .* expected a 2D care"):
        replace(RECIPE, network="care", settings=CARE(iterations=1, width=2, depth=1)).build(
            (16, 16), initial
        )


def test_the_field_of_the_attention_may_differ(tmp_path):
    initial = tmp_path / "initial.safetensors"
    shape = {"width": 4, "groups": 1, "blocks": 1}
    weights = write_model(initial, "dfcan", pooling_px=(16, 16), **shape)
    recipe = replace(RECIPE, network="dfcan", settings=DFCAN(iterations=1, **shape))
    network = recipe.build((32, 32), initial)
    assert network.pooling_px == (32, 32)
    assert_same_weights(network.state_dict(), weights)


def test_the_best_model_before_a_divergence_is_left_beside_and_named(job, tmp_path):
    broken = poisoned(make_data(), patches=3)
    settings = changed(SETTINGS, batch=1, iterations=100, validate_every=1)
    with pytest.raises(InputError) as fault:
        train(job, patches=write_data(tmp_path, broken), recipe=replace(RECIPE, settings=settings))
    rescued = job["outputs"]["model"].with_name("before_divergence.safetensors")
    assert str(fault.value).startswith("networks.cnn: training left the finite numbers at")
    assert str(rescued) in str(fault.value)
    model, model_file = load_model(rescued)
    assert model_file.network == "cnn"
    assert all(torch.isfinite(weights).all() for weights in model.parameters())
    assert not job["outputs"]["model"].exists()


def test_a_divergence_from_the_start_leaves_no_model(job, tmp_path):
    with pytest.raises(InputError, match=r"networks\.cnn: .* iteration 1 "):
        train(job, patches=write_data(tmp_path, poisoned(make_data())))
    assert list(job["outputs"]["model"].parent.glob("*.safetensors")) == []


def test_a_training_that_never_met_its_discriminator_is_refused(job):
    settings = against(warm_up_iterations=8)
    with pytest.raises(InputError, match=r"networks\.gan: .* never validated a candidate"):
        train(job, recipe=replace(RECIPE, network="gan", settings=settings))


def test_a_batch_that_cannot_be_shared_is_refused(job):
    with pytest.raises(InputError, match=r"networks\.cnn\.batch is 4, .* multiple of .* \(3\)"):
        script.train_network(ProcessGroup(0, 3), **job)


def test_only_the_first_process_of_a_group_writes(job, monkeypatch):
    # what train gives to the others
    monkeypatch.setattr(script, "train", lambda *_: ({}, pd.DataFrame()))
    script.train_network(ProcessGroup(1, 2), **job)
    assert not job["outputs"]["model"].parent.exists()


@pytest.fixture
def stamp(job, monkeypatch):
    """Return a function that gives the stamp of a job with some changes, training nothing."""
    seen = []

    def note(_model, _data, _settings, _seed, _device, _path, stamp, *_):
        seen.append(stamp)
        raise InputError("enough")

    monkeypatch.setattr(script, "train", note)

    def stamp_of(group=ProcessGroup(), **changes):  # noqa: B008
        with pytest.raises(InputError, match="enough"):
            script.train_network(group, **{**job, **changes})
        return seen.pop()

    return stamp_of


def test_the_stamp_is_the_same_for_the_same_job(stamp, tmp_path):
    assert stamp() == stamp()
    # as many seeds, threads or where the files lie change nothing
    more_seeds = replace(RECIPE, settings=changed(SETTINGS, seeds=[0, 1]))
    moved = write_data(tmp_path / "elsewhere")
    assert stamp(recipe=more_seeds, threads=2, patches=moved) == stamp()


def test_the_stamp_changes_with_all_that_the_weights_depend_on(stamp, tmp_path):
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    for path in (first, second):
        write_model(path, width=2, depth=1)
    data = make_data()
    targets = 2 * data.train_targets
    fields = [2 * field for field in data.validation_targets]
    changes = [
        {},
        {"recipe": replace(RECIPE, settings=changed(SETTINGS, learning_rate=2e-3))},
        {"recipe": replace(RECIPE, seed=1)},
        {"recipe": replace(RECIPE, network="gan", settings=GAN(**PLAIN.as_params()))},
        {"recipe": replace(RECIPE, foreground=Foreground(0.25, 0.01))},
        {"provenance": {**PROVENANCE, "code": "abd"}},
        {"initial": first},
        {"initial": second},
        {"group": ProcessGroup(0, 2)},
        {"patches": write_data(tmp_path / "a", replace(data, train_targets=targets))},
        {"patches": write_data(tmp_path / "b", replace(data, validation_targets=fields))},
    ]
    stamps = [stamp(**change) for change in changes]
    assert len(set(stamps)) == len(changes)


def test_the_history_is_whole_numbers_and_plain_names(job):
    train(job)
    history = pd.read_csv(job["outputs"]["history"])
    assert history.iteration.tolist() == [0, 2, 4, 6, 8]
    assert np.isfinite(history.validation_score).all()
    assert history.kept.dtype == bool
