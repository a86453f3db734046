"""Every network leaves the workflow as a package that other programs open."""

import io
import zipfile

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file
from tiny_experiments import EXPERIMENT
from workflow_runs import succeed

from crossres.images import read_image


def contents(path):
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def test_every_trained_model_is_exported(results):
    exported, trained = (
        {
            str(path.parent.relative_to(results / "models"))
            for path in results.glob(f"models/*/*/{name}")
        }
        for name in ("model.bioimageio.zip", "model.safetensors")
    )
    assert {"gan/seed_0", "cnn/seed_0", "cnn/seed_1"} <= trained
    assert exported == trained


@pytest.mark.filterwarnings(r"ignore:`torch\.jit\.:DeprecationWarning")
def test_a_package_holds_the_trained_weights_and_a_validation_field(results):
    folder = results / "models" / "gan" / "seed_0"
    files = contents(folder / "model.bioimageio.zip")
    described = yaml.safe_load(files["rdf.yaml"])
    told = described["config"]["crossres"]["trained"]
    assert (told["experiment"], told["channel"]) == (EXPERIMENT, "beads")
    assert "**Simulated images only.**" in files["documentation.md"].decode()
    weights = torch.jit.load(io.BytesIO(files["weights.pt"])).state_dict()
    trained = load_file(folder / "model.safetensors")
    assert set(weights) == set(trained)
    for name, tensor in trained.items():
        torch.testing.assert_close(weights[name], tensor, rtol=0, atol=0)
    field = read_image(results / "resampled" / "validation_000" / "validation_0000.ome.tif").array
    given = np.load(io.BytesIO(files["test_input.npy"]))[0, 0]
    # the field is smaller than a tile of this network, and lies in its middle
    top, left = ((n - m) // 2 for n, m in zip(given.shape, field.shape, strict=True))
    window = given[top : top + field.shape[0], left : left + field.shape[1]]
    np.testing.assert_array_equal(window, field)


def test_exporting_again_gives_the_same_file(finished_copy):
    target = f"results/{EXPERIMENT}/beads/models/cnn/seed_0/model.bioimageio.zip"
    before = (finished_copy / target).read_bytes()
    succeed(finished_copy, target, "--cores", "all", "--forcerun", "export_model")
    assert (finished_copy / target).read_bytes() == before
