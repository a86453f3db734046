"""Volumes of beads from end to end: every stage, every table and every image has a z axis."""

import json

import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open
from tiny_experiments import (
    BEAD_NM,
    SLICES,
    VOLUME_EXPERIMENT,
    VOLUME_PIXEL_NM,
    VOLUME_PX,
    VOLUMES,
    Z_STEP_NM,
    volumes,
    write_experiment,
)
from workflow_runs import copy_workflow, figures_of, plan, succeed

from crossres.images import read_image
from crossres.optics import psf_fwhm_nm
from crossres.settings import Confocal

CROP_PX = 10
FIELDS = {
    "train_000": ["train_0000"],
    "validation_000": ["validation_0000"],
    "test_000": ["test_0000", "test_0001"],
}
RESTORATIONS = ["richardson_lucy", "rcan", "care"]
WIDTHS = ["fwhm_nm", "fwhm_axial_nm"]
SIMILARITIES = {"mse", "psnr_db", "nrmse", "ssim", "pearson_r"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The one run of the tiny volumes from end to end."""
    folder = copy_workflow(tmp_path_factory.mktemp("volumes") / "repository")
    write_experiment(folder, volumes(), VOLUME_EXPERIMENT)
    succeed(folder, "--cores", "all")
    return folder


@pytest.fixture(scope="module")
def results(run):
    return run / "results" / VOLUME_EXPERIMENT / "beads"


@pytest.fixture(scope="module")
def widths(results):
    """Medians of every bead's widths, by method."""
    table = pd.read_csv(results / "structures.csv")
    table = table[table.metric.isin(WIDTHS)]
    return table.groupby(["method", "metric"]).value.median().unstack()


def names_in(folder):
    return sorted(path.name.removesuffix(".ome.tif") for path in folder.glob("*.ome.tif"))


@pytest.mark.parametrize("batch", FIELDS)
def test_registered_volumes_keep_all_slices_and_their_distance(results, batch):
    assert names_in(results / "registered" / batch) == FIELDS[batch]
    side = VOLUME_PX - 2 * CROP_PX
    for name in FIELDS[batch]:
        pair = read_image(results / "registered" / batch / f"{name}.ome.tif")
        assert (pair.axes, pair.array.shape) == ("CZYX", (2, SLICES, side, side))
        assert pair.channels == ("input", "target")
        assert pair.pixel_size_nm == pytest.approx(VOLUME_PIXEL_NM)
        assert pair.z_step_nm == pytest.approx(Z_STEP_NM)


def test_constants_hold_both_steps(results):
    constants = json.loads((results / "constants.json").read_text())
    for role in ("input", "target"):
        assert constants[role]["pixel_size_nm"] == pytest.approx(VOLUME_PIXEL_NM)
        assert constants[role]["z_step_nm"] == pytest.approx(Z_STEP_NM)


def test_volumes_are_registered_to_a_fraction_of_a_pixel(results):
    table = pd.read_csv(results / "registration.csv")
    assert table.accepted.all(), table.reason
    assert {"shift_z_nm", "shift_y_nm", "shift_x_nm"} <= set(table.columns)
    # a drift of 60 nm is less than half a slice
    assert table.shift_z_nm.abs().max() > 1
    errors = pd.read_csv(results / "registration_error.csv")
    assert sorted(errors.field) == sorted(table.field)
    assert errors.error_rms_px.max() < 0.5


def test_patches_are_blocks_of_slices(results):
    with safe_open(results / "patches" / "train.safetensors", "np") as file:
        name = next(iter(file.keys()))
        shape = file.get_slice(name).get_shape()
    size = VOLUMES["patches"]
    assert tuple(shape[-3:]) == (size["slices"], size["size_px"], size["size_px"])
    assert "z_px" in pd.read_csv(results / "patches" / "positions.csv").columns


@pytest.mark.parametrize("network", ["rcan", "care"])
def test_a_model_of_volumes_of_every_network(results, network):
    folder = results / "models" / network / "seed_0"
    with safe_open(folder / "model.safetensors", "np") as file:
        about = json.loads(file.metadata()["crossres"])
    assert about["dims"] == 3
    assert about["pixel_size_nm"] == pytest.approx(VOLUME_PIXEL_NM)
    assert about["z_step_nm"] == pytest.approx(Z_STEP_NM)
    assert (folder / "model.bioimageio.zip").is_file()


@pytest.mark.parametrize("restoration", RESTORATIONS)
def test_restored_volumes_lie_on_the_grid_of_the_target(results, restoration):
    assert names_in(results / "restored" / restoration) == FIELDS["test_000"]
    for name in FIELDS["test_000"]:
        image = read_image(results / "restored" / restoration / f"{name}.ome.tif")
        assert (image.axes, image.array.shape) == ("ZYX", (SLICES, VOLUME_PX, VOLUME_PX))
        assert image.pixel_size_nm == pytest.approx(VOLUME_PIXEL_NM)
        assert image.z_step_nm == pytest.approx(Z_STEP_NM)
        assert np.isfinite(image.array).all()
        assert np.ptp(image.array) > 0


def test_every_bead_has_a_place_and_two_widths(results):
    table = pd.read_csv(results / "structures.csv")
    assert table.structure.str.fullmatch(r"bead_\d+").all()
    reach = {"z_nm": SLICES * Z_STEP_NM, "y_nm": VOLUME_PX * VOLUME_PIXEL_NM}
    for place, most_nm in reach.items():
        assert table[place].between(0, most_nm).all()
    target = table[table.method == "target"]
    counts = target.groupby("metric").size()
    # one a field is far enough from all others and from the borders of so small a volume
    assert counts["fwhm_nm"] == counts["fwhm_axial_nm"] >= len(target.field.unique()) == 2


@pytest.mark.parametrize("method", ["input", "target", "truth", *RESTORATIONS])
def test_every_method_is_measured_with_both_widths(results, method):
    metrics = pd.read_csv(results / "metrics.csv")
    found = metrics[metrics.method == method]
    # the target is not compared with itself, nor the truth; the truth's beads are not fitted
    expected = set()
    if method != "target":
        expected |= SIMILARITIES
    if method != "truth":
        expected |= {*WIDTHS, *(f"{name}_truth" for name in SIMILARITIES)}
    assert set(found.metric) - {"snr"} == expected
    assert set(found.unit[found.metric.isin(WIDTHS)]) == (set() if method == "truth" else {"nm"})


@pytest.mark.parametrize("role", ["input", "target"])
def test_widths_before_restoration_are_those_of_the_optics(widths, role):
    keys = {key: value for key, value in VOLUMES["modalities"][role].items() if key != "camera"}
    expected = psf_fwhm_nm(Confocal(**keys), BEAD_NM)
    measured = [widths[name][role] for name in WIDTHS]
    np.testing.assert_allclose(measured, expected, rtol=0.03)


def test_deconvolution_narrows_both_widths(widths):
    for name in WIDTHS:
        assert widths[name]["richardson_lucy"] < 0.95 * widths[name]["input"]


def test_figures_of_volumes_are_drawn(run, results):
    drawn = {path.stem for path in (results / "figures").glob("*.png")}
    # profiles run through close pairs, which are looked for in images alone
    assert drawn == {
        "registration",
        "fwhm",
        "snr",
        "quality",
        "examples",
        "losses",
        "deconvolution",
    }
    assert "simulated" in (run / "results" / "summary.html").read_text()
    assert figures_of(plan(run)) == set()


def test_a_second_call_has_nothing_to_do(run):
    assert plan(run) == []
