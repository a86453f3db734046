"""Stage scans of two channels, from tiles to tables: stitched, cut, registered, measured."""

import shutil
import xml.etree.ElementTree as ElementTree

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from tiny_experiments import (
    SCAN_EXPERIMENT,
    SCAN_FIELD_PX,
    SCAN_INPUT_NM,
    SCAN_TARGET_NM,
    SCAN_TARGETS,
    SCANNED,
    SCENES,
    read_sheet_rows,
    scanned,
    scans_of_sheet,
    write_experiment,
    write_scan_sheet,
    write_sheet,
)
from workflow_runs import copy_workflow, plan, rules_of, succeed

from crossres.images import read_image

CROP_PX = 10
FIELDS = {scene: [f"{scene}_r0c0", f"{scene}_r0c1"] for scene in SCENES}
"""By batch, each of one scene, whose name it bears."""

SCAN = SCANNED["source"]["simulator"]["acquisition"]["scan"]
RUN = [*(("actin", scene) for scene in SCENES), ("mesh", "train_000")]
"""Channels and scenes that were run, to the registration at least."""


@pytest.fixture(scope="module")
def results(finished_scans):
    """Folder of both channels."""
    return finished_scans / "results" / SCAN_EXPERIMENT


@pytest.fixture(scope="module")
def actin(results):
    """Folder of the channel that the tiles of both are placed by."""
    return results / "actin"


def names_in(folder):
    return sorted(path.name.removesuffix(".ome.tif") for path in folder.glob("*.ome.tif"))


def plan_changed(folder, settings):
    """Plan the finished run with other settings, and put its own back."""
    try:
        write_experiment(folder, settings, SCAN_EXPERIMENT, keep_stages=True)
        return plan(folder, *SCAN_TARGETS)
    finally:
        write_experiment(folder, scanned(), SCAN_EXPERIMENT, keep_stages=True)


def of_channel(jobs, name):
    return [job for job in jobs if job.wildcards.get("channel") == name]


@pytest.mark.parametrize("role", ["input", "target"])
@pytest.mark.parametrize("scene", SCENES)
def test_every_tile_is_placed_near_its_place_in_the_grid(actin, scene, role):
    table = pd.read_csv(actin / "tiles" / role / f"{scene}.csv", dtype={"scene": str})
    columns = ["scene", "tile_row", "tile_col", "y_px", "x_px", "placed_by_grid"]
    assert list(table.columns) == columns
    scan = SCAN[role]
    grid = [(row, column) for row in range(scan["rows"]) for column in range(scan["columns"])]
    assert sorted(zip(table.tile_row, table.tile_col, strict=True)) == grid
    assert set(table.scene) == {scene}
    assert not table.placed_by_grid.any()
    step_px = scan["tile_px"] * (1 - scan["overlap"])
    for place, position in (("tile_row", "y_px"), ("tile_col", "x_px")):
        # the stage errs by 3 px, and by 9 at most
        assert (table[position] - step_px * table[place]).abs().max() < 20


def test_tiles_are_placed_by_the_channel_named_alone(results):
    assert (results / "actin" / "tiles").is_dir()
    assert not (results / "mesh" / "tiles").exists()


@pytest.mark.parametrize(
    ("role", "size_nm"), [("input", SCAN_INPUT_NM), ("target", SCAN_TARGET_NM)]
)
@pytest.mark.parametrize(("channel", "scene"), RUN)
def test_a_mosaic_a_scene_of_both_objectives(results, channel, scene, role, size_nm):
    folder = results / channel / "stitched" / role / scene
    assert names_in(folder) == [scene]
    image = read_image(folder / f"{scene}.ome.tif")
    assert image.pixel_size_nm == pytest.approx(size_nm)
    scan = SCAN[role]
    for side_px, count in zip(image.array.shape, (scan["rows"], scan["columns"]), strict=True):
        nominal_px = scan["tile_px"] * (1 + (count - 1) * (1 - scan["overlap"]))
        assert abs(side_px - nominal_px) < 30


@pytest.mark.parametrize(("channel", "scene"), RUN)
def test_fields_are_cut_side_by_side_about_the_middle_of_the_input(results, channel, scene):
    mosaic = read_image(results / channel / "stitched" / "input" / scene / f"{scene}.ome.tif").array
    assert names_in(results / channel / "cut" / scene) == FIELDS[scene]
    side = SCAN_FIELD_PX * SCAN_TARGET_NM // SCAN_INPUT_NM
    top, left = (mosaic.shape[0] - side) // 2, (mosaic.shape[1] - 2 * side) // 2
    for number, name in enumerate(FIELDS[scene]):
        field = read_image(results / channel / "cut" / scene / f"{name}.ome.tif")
        y, x = top, left + number * side
        assert field.corner_px == (y, x)
        np.testing.assert_array_equal(field.array, mosaic[y : y + side, x : x + side])


@pytest.mark.parametrize(("channel", "scene"), RUN)
def test_registered_fields_hold_input_and_target_on_one_grid(results, channel, scene):
    assert names_in(results / channel / "registered" / scene) == FIELDS[scene]
    for name in FIELDS[scene]:
        pair = read_image(results / channel / "registered" / scene / f"{name}.ome.tif")
        assert pair.channels == ("input", "target")
        assert pair.pixel_size_nm == pytest.approx(SCAN_TARGET_NM)
        height, width = pair.array.shape[1:]
        assert max(height, width) <= SCAN_FIELD_PX - 2 * CROP_PX
        assert min(height, width) >= SCAN_FIELD_PX - 2 * CROP_PX - 30
        moves = read_image(results / channel / "displacement" / scene / f"{name}.ome.tif")
        step = round(moves.pixel_size_nm / SCAN_TARGET_NM)
        assert moves.array.shape == (4, height // step, width // step)
        # the target moved, the input is as it was restored
        resampled = read_image(results / channel / "resampled" / scene / f"{name}.ome.tif").array
        y, x = pair.corner_px
        np.testing.assert_array_equal(
            pair.channel("input"), resampled[y : y + height, x : x + width]
        )


def test_every_field_is_found_and_accepted(actin):
    table = pd.read_csv(actin / "registration.csv").set_index("field")
    assert {"match_ratio", "match_rotation_degree", "match_correlation"} <= set(table.columns)
    assert {"crop_y_px", "crop_x_px", "coverage", "residual_px", "reason"} <= set(table.columns)
    assert sorted(table.index) == sorted(name for names in FIELDS.values() for name in names)
    assert table.accepted.all() and table.applied.all() and table.reason.isna().all()
    # the simulator's target is 0.2 % larger and turned by 0.2 degrees
    assert np.abs(table.match_ratio - 2).max() < 0.02
    assert np.abs(table.match_rotation_degree).max() < 0.6
    assert (table.correlation > table.correlation_before).all()
    assert table.correlation.min() > 0.8
    assert table.coverage.min() > 0.7
    assert (table.batch == table.index.str.rsplit("_", n=1).str[0]).all()


def test_registration_is_within_half_a_pixel_of_the_truth(actin):
    errors = pd.read_csv(actin / "registration_error.csv").set_index("field")
    table = pd.read_csv(actin / "registration.csv").set_index("field")
    assert sorted(errors.index) == sorted(table.index[table.accepted])
    assert errors.error_rms_px.max() < 0.5
    np.testing.assert_allclose(errors.error_rms_nm, errors.error_rms_px * SCAN_TARGET_NM)
    np.testing.assert_allclose(errors.residual_px, table.residual_px[errors.index])


def test_the_other_channel_is_accepted_though_its_filters_shift(results):
    table = pd.read_csv(results / "mesh" / "registration" / "train_000.csv")
    assert list(table.field) == FIELDS["train_000"]
    assert table.accepted.all()
    assert table.correlation.min() > 0.8


def test_a_model_a_channel_from_fields_of_its_own(finished_scans):
    trainings = [job for job in plan(finished_scans, "--forceall") if job.rule == "train_network"]
    assert sorted(job.wildcards["channel"] for job in trainings) == ["actin", "mesh"]
    for job in trainings:
        folder = f"results/{SCAN_EXPERIMENT}/{job.wildcards['channel']}/"
        assert {path.startswith(folder) for path in (*job.inputs, *job.outputs)} == {True}


def test_modulation_is_measured_where_it_is_asked_for(actin):
    metrics = pd.read_csv(actin / "metrics.csv")
    assert set(metrics.channel) == {"actin"}
    assert set(metrics.field) == set(FIELDS["test_000"])
    units = dict(zip(metrics.metric, metrics.unit, strict=True))
    assert (units["modulation_depth"], units["sharpness"]) == ("1", "1/px")
    assert "registration_error_nm" not in units
    for metric, most in (("modulation_depth", 1), ("sharpness", np.inf)):
        rows = metrics[metrics.metric == metric]
        assert set(rows.method) == {"input", "target", "gan"}
        assert rows.value.between(0, most, inclusive="neither").all()


def test_the_target_is_sharper_than_the_input(actin):
    metrics = pd.read_csv(actin / "metrics.csv")
    for metric in ("modulation_depth", "sharpness"):
        value = metrics[metrics.metric == metric].set_index(["field", "method"]).value.unstack()
        assert (value["target"] > value["input"]).all()


def test_the_truth_is_placed_where_the_input_truly_looks(actin):
    scene = "test_000"
    for name in FIELDS[scene]:
        truth = read_image(actin / "placed_truth" / scene / f"{name}.ome.tif")
        assert truth.array.shape == (SCAN_FIELD_PX, SCAN_FIELD_PX)
        assert truth.pixel_size_nm == pytest.approx(SCAN_TARGET_NM)
        pair = read_image(actin / "registered" / scene / f"{name}.ome.tif")
        y, x = pair.corner_px
        height, width = pair.array.shape[1:]
        noiseless = truth.array[y : y + height, x : x + width]
        target = pair.channel("target")
        shown = target > 0
        # the registered target lies on it, to the fraction of a pixel that registration leaves
        assert np.corrcoef(noiseless[shown], target[shown])[0, 1] > 0.9


def test_the_registration_is_drawn_for_screen_and_print(actin):
    path = actin / "figures" / "registration"
    assert matplotlib.image.imread(path.with_suffix(".png"))[..., :3].std() > 0.01
    assert ElementTree.parse(path.with_suffix(".svg")).getroot().tag.endswith("svg")


def test_a_second_call_has_nothing_to_do(finished_scans):
    assert plan(finished_scans, *SCAN_TARGETS) == []


def test_optics_of_one_channel_concern_no_other(finished_scans):
    wavelength = {"actin": 630, "mesh": 500}
    jobs = plan_changed(finished_scans, scanned(modalities__target__wavelength_nm=wavelength))
    assert of_channel(jobs, "actin") == []
    assert {"simulate_acquisition", "register_fields"} <= rules_of(of_channel(jobs, "mesh"))


def test_the_stain_of_one_channel_concerns_no_other(finished_scans):
    brighter = {"source__simulator__sample__stains__mesh__brightness": 1.5}
    jobs = plan_changed(finished_scans, scanned(**brighter))
    assert of_channel(jobs, "mesh")
    assert of_channel(jobs, "actin") == []


def test_a_channel_placed_by_its_own_tiles_reads_nothing_of_another(finished_scans):
    jobs = plan_changed(finished_scans, scanned(source__stitch__channel=None))
    # what was placed by itself before is as it was
    assert of_channel(jobs, "actin") == []
    mesh = of_channel(jobs, "mesh")
    assert {"locate_tiles", "stitch_tiles", "register_fields"} <= rules_of(mesh)
    assert "simulate_acquisition" not in rules_of(mesh)
    assert not [path for job in mesh for path in job.inputs if "/actin/" in path]


def test_another_grid_of_fields_stitches_nothing_again(finished_scans):
    grid = {"rows": 2, "columns": 1, "size_px": SCAN_FIELD_PX}
    jobs = plan_changed(finished_scans, scanned(source__stitch__fields=grid))
    assert {"cut_fields", "register_fields", "train_network"} <= rules_of(jobs)
    assert rules_of(jobs).isdisjoint({"import_images", "locate_tiles", "stitch_tiles"})


@pytest.fixture(scope="module")
def from_a_sheet(finished_scans, tmp_path_factory):
    """A scene as a sheet lists it, its files those that the simulator wrote; registered."""
    folder = copy_workflow(tmp_path_factory.mktemp("scan_sheet") / "repository")
    raw = finished_scans / "results" / SCAN_EXPERIMENT / "actin" / "raw"
    write_scan_sheet(folder, raw)
    write_experiment(folder, scans_of_sheet(raw), SCAN_EXPERIMENT)
    succeed(folder, f"results/{SCAN_EXPERIMENT}/actin/registered/train_000")
    return folder / "results" / SCAN_EXPERIMENT / "actin"


def test_scans_of_a_sheet_are_placed_as_those_of_the_simulator(from_a_sheet, actin):
    for role in ("input", "target"):
        tables = [pd.read_csv(f / "tiles" / role / "train_000.csv") for f in (from_a_sheet, actin)]
        sheet, simulated = (t.set_index(["tile_row", "tile_col"]).sort_index() for t in tables)
        places = ["y_px", "x_px"]
        np.testing.assert_allclose(sheet[places], simulated[places], atol=1e-3)


def test_scans_of_a_sheet_are_registered_as_those_of_the_simulator(from_a_sheet, actin):
    tables = [pd.read_csv(f / "registration" / "train_000.csv") for f in (from_a_sheet, actin)]
    sheet, simulated = (table.set_index("field") for table in tables)
    # named after the scene that the sheet names
    assert list(sheet.index) == ["slide_r0c0", "slide_r0c1"]
    assert sheet.accepted.all()
    assert sheet.correlation.min() > 0.8
    for name, other in zip(sheet.index, FIELDS["train_000"], strict=True):
        for column in ("shift_y_px", "shift_x_px", "correlation", "match_ratio", "residual_px"):
            assert sheet[column][name] == pytest.approx(simulated[column][other], abs=1e-3)
        pairs = [
            read_image(f / "registered" / "train_000" / f"{field}.ome.tif")
            for f, field in ((from_a_sheet, name), (actin, other))
        ]
        assert pairs[0].corner_px == pairs[1].corner_px
        np.testing.assert_allclose(pairs[0].array, pairs[1].array, rtol=1e-3, atol=0.5)


def test_a_scene_to_apply_to_needs_no_target(finished_scans, workspace):
    raw = finished_scans / "results" / SCAN_EXPERIMENT / "actin" / "raw"
    data = shutil.copytree(raw, workspace / "data")
    shutil.copytree(data / "input" / "test_000", data / "input" / "applied")
    write_scan_sheet(workspace, data)
    rows = [row for row in read_sheet_rows(workspace / "scans.tsv") if row["input"]]
    applied = {"split": "apply", "scene": "applied", "target": ""}
    rows += [
        row
        | applied
        | {"field": f"a-{row['field']}", "input": row["input"].replace("/test_000/", "/applied/")}
        for row in rows
        if row["split"] == "test"
    ]
    write_sheet(workspace / "scans.tsv", rows)
    settings = scans_of_sheet(data, deconvolution__nnls={})
    write_experiment(workspace, settings, SCAN_EXPERIMENT)
    cut = [path for job in plan(workspace) for path in job.outputs if "/cut/apply_000" in path]
    assert cut
