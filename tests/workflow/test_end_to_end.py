"""One run from raw images to the report: every file and column that others may rely on."""

import json
import re
import xml.etree.ElementTree as ElementTree
import zipfile

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open
from tiny_experiments import EXPERIMENT, FIELD_PX, INPUT_PIXEL_NM, PIXEL_NM
from workflow_runs import succeed

from crossres.images import read_image

CROP_PX = 10
FIELDS = {
    "train_000": ["train_0000", "train_0001"],
    "validation_000": ["validation_0000"],
    "test_000": ["test_0000", "test_0001"],
}
TRAINED = {"gan": [0], "cnn": [0, 1]}
BASELINES = ["richardson_lucy", "nnls"]
RESTORATIONS = [*BASELINES, "gan", "cnn", "cnn.seed_1"]
FIGURES = [
    "deconvolution",
    "examples",
    "fwhm",
    "losses",
    "profiles",
    "quality",
    "registration",
    "snr",
]
TABLES = ["metrics.csv", "structures.csv", "registration.csv", "registration_error.csv"]
PROVENANCE = {"experiment": EXPERIMENT, "channel": "beads", "scale": "demo", "data": "simulated"}
UNITS = {"fwhm_nm": "nm", "snr": "1", "psnr_db": "dB", "ssim": "1", "nrmse": "1", "mse": "1"}
UNITS |= {"pearson_r": "1", "background_sd": "counts", "background_stripes": "1"}
TO_TRUTH = ["psnr_db", "ssim", "nrmse", "mse", "pearson_r"]
"""Measured against the target as it was recorded, and against the truth without noise."""

UNITS |= {f"{name}_truth": UNITS[name] for name in TO_TRUTH}


@pytest.fixture(scope="module")
def metrics(results):
    return pd.read_csv(results / "metrics.csv")


def names_in(folder):
    return sorted(path.name.removesuffix(".ome.tif") for path in folder.glob("*.ome.tif"))


@pytest.mark.parametrize("batch", FIELDS)
def test_registered_fields_hold_input_and_target_on_one_grid(results, batch):
    folder = results / "registered" / batch
    assert names_in(folder) == FIELDS[batch]
    side = FIELD_PX - 2 * CROP_PX
    for name in FIELDS[batch]:
        image = read_image(folder / f"{name}.ome.tif")
        assert image.channels == ("input", "target")
        assert (image.axes, image.array.shape) == ("CYX", (2, side, side))
        assert image.pixel_size_nm == pytest.approx(PIXEL_NM)


def test_registration_leaves_the_input_as_it_was_acquired(results):
    resampled = read_image(results / "resampled" / "test_000" / "test_0000.ome.tif").array
    pair = read_image(results / "registered" / "test_000" / "test_0000.ome.tif")
    inside = slice(CROP_PX, -CROP_PX)
    np.testing.assert_array_equal(pair.channel("input"), resampled[inside, inside])


def test_registration_table_has_a_row_a_field(results):
    table = pd.read_csv(results / "registration.csv")
    assert {"field", "shift_y_px", "shift_x_px", "shift_y_nm", "shift_x_nm"} <= set(table.columns)
    assert {"residual_px", "residual_p95_px", "deformation_px", "texture"} <= set(table.columns)
    assert {"correlation_before", "correlation", "coverage"} <= set(table.columns)
    assert {"applied", "accepted", "reason", "batch"} <= set(table.columns)
    assert sorted(table.field) == sorted(name for names in FIELDS.values() for name in names)
    assert table.accepted.any()
    for column, value in PROVENANCE.items():
        assert set(table[column]) == {value}


@pytest.mark.parametrize("batch", FIELDS)
def test_what_moved_a_field_is_kept_beside_it(results, batch):
    table = pd.read_csv(results / "registration" / f"{batch}.csv").set_index("field")
    assert names_in(results / "displacement" / batch) == FIELDS[batch]
    for name in FIELDS[batch]:
        moves = read_image(results / "displacement" / batch / f"{name}.ome.tif")
        assert moves.channels[:2] == ("displacement_y", "displacement_x")
        assert moves.channels[2:] == ("correction_y", "correction_x")
        # a drift moves all of a field alike
        for axis, channel in zip("yx", moves.array[:2], strict=True):
            expected = table[f"shift_{axis}_px"][name] if table.applied[name] else 0
            np.testing.assert_allclose(channel, expected, atol=1e-4)


def test_registration_is_held_against_the_simulated_drift(results):
    errors = pd.read_csv(results / "registration_error.csv")
    table = pd.read_csv(results / "registration.csv")
    assert sorted(errors.field) == sorted(table.field[table.accepted])
    np.testing.assert_allclose(errors.error_rms_nm, errors.error_rms_px * PIXEL_NM)
    assert errors.error_rms_px.max() < 0.5


@pytest.mark.parametrize(("network", "seeds"), TRAINED.items())
def test_a_model_and_a_history_of_every_seed(results, network, seeds):
    folder = results / "models" / network
    assert sorted(p.name for p in folder.iterdir()) == [f"seed_{seed}" for seed in seeds]
    for seed in seeds:
        with safe_open(folder / f"seed_{seed}" / "model.safetensors", "np") as file:
            about = json.loads(file.metadata()["crossres"])
        assert about["network"] == network
        assert about["pixel_size_nm"] == pytest.approx(PIXEL_NM)
        history = pd.read_csv(folder / f"seed_{seed}" / "history.csv")
        assert history.iteration.iloc[-1] == 6
        assert history.kept.sum() == 1


def test_two_seeds_give_two_models(results):
    models = [results / "models" / "cnn" / f"seed_{s}" / "model.safetensors" for s in (0, 1)]
    assert models[0].read_bytes() != models[1].read_bytes()


@pytest.mark.parametrize("restoration", RESTORATIONS)
def test_restored_fields_lie_on_the_grid_of_the_target(results, restoration):
    folder = results / "restored" / restoration
    assert names_in(folder) == FIELDS["test_000"]
    for name in FIELDS["test_000"]:
        image = read_image(folder / f"{name}.ome.tif")
        assert (image.axes, image.array.shape) == ("YX", (FIELD_PX, FIELD_PX))
        assert image.pixel_size_nm == pytest.approx(PIXEL_NM)
        assert np.isfinite(image.array).all()
        assert np.ptp(image.array) > 0


def test_the_raw_input_was_coarser_than_what_is_restored(results):
    constants = json.loads((results / "constants.json").read_text())
    assert constants["input"]["pixel_size_nm"] == pytest.approx(INPUT_PIXEL_NM)
    assert constants["target"]["pixel_size_nm"] == pytest.approx(PIXEL_NM)


@pytest.mark.parametrize("batch", FIELDS)
def test_the_truth_is_the_targets_image_without_noise(results, batch):
    for name in FIELDS[batch]:
        truth = read_image(results / "truth" / batch / f"{name}.ome.tif")
        assert (truth.axes, truth.array.shape) == ("YX", (FIELD_PX, FIELD_PX))
        assert truth.pixel_size_nm == pytest.approx(PIXEL_NM)
        pair = read_image(results / "registered" / batch / f"{name}.ome.tif")
        inside = slice(CROP_PX, -CROP_PX)
        noiseless, target = truth.array[inside, inside], pair.channel("target")
        shown = target > 0
        assert np.corrcoef(noiseless[shown], target[shown])[0, 1] > 0.8
        # counts, the camera's gain and offset included
        assert noiseless.mean() == pytest.approx(target[shown].mean(), rel=0.1)


def test_stages_that_are_passed_through_are_deleted(results):
    for stage in ("raw", "imported"):
        assert not list((results / stage).rglob("*.tif"))


def test_metrics_hold_one_row_a_field_method_seed_and_metric(metrics):
    first = ["field", "method", "seed", "metric", "value", "unit"]
    assert list(metrics.columns[:6]) == first
    assert not metrics.duplicated(["field", "method", "seed", "metric"]).any()
    assert set(metrics.field) == set(FIELDS["test_000"])
    assert set(metrics.method) == {"input", "target", "truth", *BASELINES, *TRAINED}
    assert dict(zip(metrics.metric, metrics.unit, strict=True)) == UNITS
    assert (metrics.metric.map(UNITS) == metrics.unit).all()


@pytest.mark.parametrize("metric", [*TO_TRUTH, *(f"{name}_truth" for name in TO_TRUTH), "snr"])
@pytest.mark.parametrize("method", ["input", *BASELINES, *TRAINED])
def test_every_method_is_measured_on_every_field_and_seed(metrics, method, metric):
    rows = metrics[(metrics.method == method) & (metrics.metric == metric)]
    assert len(rows) == len(FIELDS["test_000"]) * len(TRAINED.get(method, [None]))
    if metric != "snr":
        assert np.isfinite(rows.value).all()


def test_seeds_stand_beside_what_has_chance_and_nothing_else(metrics):
    for method, rows in metrics.groupby("method"):
        assert sorted(rows.seed.dropna().unique()) == TRAINED.get(method, [])
        assert rows.seed.isna().any() == (method not in TRAINED)


def test_the_truth_is_the_ceiling_of_what_noise_lets_anything_reach(metrics):
    rows = metrics[metrics.metric == "pearson_r"].set_index(["field", "method"]).value
    for field in FIELDS["test_000"]:
        assert rows[field, "input"] < rows[field, "truth"] < 1
    # against itself it has no error
    itself = metrics[(metrics.method == "truth") & metrics.metric.str.endswith("_truth")]
    assert (itself.value[itself.metric == "nrmse_truth"] < 1e-6).all()


def test_restored_fields_of_a_batch_lie_beside_those_of_others_in_one_folder(results):
    for name in RESTORATIONS:
        batch = results / "restored_batches" / name / "test_000"
        assert names_in(batch) == names_in(results / "restored" / name)


def test_structures_have_a_place_a_metric_and_a_unit(results):
    table = pd.read_csv(results / "structures.csv")
    first = ["field", "method", "seed", "structure", "y_nm", "x_nm", "metric", "value", "unit"]
    assert list(table.columns[:9]) == first
    assert len(table) > 0
    assert table.structure.str.fullmatch(r"(bead|pair)_\d+").all()
    assert table[["y_nm", "x_nm"]].to_numpy().min() >= 0
    assert table[["y_nm", "x_nm"]].to_numpy().max() <= FIELD_PX * PIXEL_NM
    assert table.unit.notna().all()


@pytest.mark.parametrize("name", TABLES)
def test_every_table_says_where_its_numbers_come_from(results, name):
    table = pd.read_csv(results / name)
    for column, value in PROVENANCE.items():
        assert set(table[column]) == {value}
    assert table.code.nunique() == 1
    # sixteen hexadecimal digits alone, such as 12e3456789012345, would be read as a number
    assert re.fullmatch("sha256:[0-9a-f]{16}", table.code.iloc[0])


def test_patches_come_from_the_fields_of_their_own_split(results):
    positions = pd.read_csv(results / "patches" / "positions.csv")
    assert set(positions.split) == {"train"}
    assert set(positions.field) <= set(FIELDS["train_000"])


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_drawn_for_screen_and_print(results, name):
    pixels = matplotlib.image.imread(results / "figures" / f"{name}.png")
    assert pixels[..., :3].std() > 0.01
    root = ElementTree.parse(results / "figures" / f"{name}.svg").getroot()
    assert root.tag.endswith("svg")


def test_no_figure_is_missing_from_the_list_above(results):
    assert sorted(path.stem for path in (results / "figures").glob("*.png")) == FIGURES
    assert sorted(path.stem for path in (results / "figures").glob("*.svg")) == FIGURES


def test_claims_are_judged_with_their_scale_and_data(finished):
    claims = pd.read_csv(finished / "results" / "claims.csv")
    assert list(claims.columns) == ["id", "published", "measured", "verdict", "scale", "data"]
    assert claims.id.is_unique
    known = pd.read_csv(finished / "resources" / "claims.tsv", sep="\t")
    assert set(claims.id) <= set(known.id)
    assert set(claims.verdict) <= {"reproduced", "failed", "not judged"}
    assert set(claims.scale) == {"demo"}
    assert claims[["published", "measured"]].notna().all().all()


def test_claims_of_experiments_that_did_not_run_are_not_judged(finished):
    claims = pd.read_csv(finished / "results" / "claims.csv").set_index("id")
    elsewhere = claims.data.isna()
    assert set(claims.index[elsewhere]) == {"W3", "W4", "W5", "W8", "W10", "W11", "W12", "T9"}
    assert set(claims.verdict[elsewhere]) == {"not judged"}
    assert claims.measured[elsewhere].str.contains("not part of this run").all()
    assert set(claims.data[~elsewhere]) == {"simulated"}


def test_the_summary_says_that_the_data_is_simulated(finished):
    page = (finished / "results" / "summary.html").read_text()
    assert "simulated" in page
    assert EXPERIMENT in page


def test_every_job_leaves_a_log_and_its_cost(finished):
    logs = {path.relative_to(finished / "logs") for path in (finished / "logs").rglob("*.log")}
    costs = {path.relative_to(finished / "logs") for path in (finished / "logs").rglob("*.tsv")}
    assert {path.with_suffix("") for path in logs} == {path.with_suffix("") for path in costs}
    not_needed = {"document_config", "subtract_background", "restore_new"}
    not_needed |= {"locate_tiles", "stitch_tiles", "cut_fields", "place_truth"}
    scripts = {path.stem for path in (finished / "workflow" / "scripts").glob("*.py")}
    # a script a figure, and one rule for all; one script for all tables, and two rules
    plotting = {name for name in scripts if name.startswith("plot_")}
    rules = scripts - plotting - not_needed | {"plot_figure", "collect_details"}
    assert {path.parts[0].removesuffix(".log") for path in logs} == rules
    drawn = {path.stem for path in logs if path.parts[0] == "plot_figure"}
    assert drawn == {name.removeprefix("plot_") for name in plotting} == set(FIGURES)


def test_the_report_holds_every_figure(finished, results, tmp_path):
    report = tmp_path / "report.zip"
    succeed(finished, "--report", str(report))
    with zipfile.ZipFile(report) as archive:
        held = {name.rsplit("/", 1)[-1]: archive.read(name) for name in archive.namelist()}
    for name in FIGURES:
        assert held[f"{name}.png"] == (results / "figures" / f"{name}.png").read_bytes()
    assert {"report.html", "metrics.csv", "claims.csv", "summary.html"} <= set(held)
