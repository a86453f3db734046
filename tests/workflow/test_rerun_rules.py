"""What runs again after a change, and what does not: all by dry runs on finished runs."""

import ast
import os
import shutil
import time

import pytest
from tiny_experiments import (
    EXPERIMENT,
    SHEET_SETTINGS,
    SHEET_SPLITS,
    SHEET_TARGETS,
    changed,
    of_sheet,
    read_sheet_rows,
    simulated,
    write_experiment,
    write_sheet,
)
from workflow_runs import figures_of, plan, rules_of, wildcards_of

JOINED = {"collect_tables", "collect_details", "plot_figure", "check_claims", "write_report"}
"""What is made of all restorations together."""

FIGURES_OF_METRICS = {"snr", "quality", "examples", "fwhm", "profiles"}


def plan_changed(folder, settings=None, **configuration):
    """Plan the finished run with other settings, and put its own back."""
    try:
        write_experiment(folder, settings or simulated(), **configuration)
        return plan(folder)
    finally:
        write_experiment(folder, simulated())


def trained(jobs):
    trainings = [job.wildcards for job in jobs if job.rule == "train_network"]
    return {f"{training['network']}/{training['seed']}" for training in trainings}


def restored(jobs):
    return wildcards_of(jobs, "restoration", "restore_fields") | wildcards_of(
        jobs, "method", "deconvolve_fields"
    )


def measured(jobs):
    return wildcards_of(jobs, "restoration", "measure_fields")


def edit(path):
    path.write_text(path.read_text() + "\nEDITED = True\n")


def remark_on(path):
    """Change a comment, the module's docstring and that of its first function or class."""
    lines = path.read_text().splitlines(keepends=True)
    tree = ast.parse("".join(lines))
    places = [tree, *(node for node in tree.body if hasattr(node, "name"))]
    for node in places[1::-1]:
        if ast.get_docstring(node, clean=False) is not None:
            first = node.body[0].lineno - 1
            lines[first] = lines[first].replace('"""', '"""Edited. ', 1)
    path.write_text("".join(lines) + "\n# a remark\n")


def test_a_second_call_has_nothing_to_do(finished):
    assert plan(finished) == []


def test_touching_files_runs_nothing_again(finished_copy):
    later = time.time() + 3600
    results = finished_copy / "results"
    touched = [
        *finished_copy.glob("*.yaml"),
        *(finished_copy / "config").rglob("*.yaml"),
        *(finished_copy / "resources").glob("*.tsv"),
        *(finished_copy / "workflow").rglob("*.*"),
        *results.rglob("*.tif"),
        *results.rglob("*.csv"),
        *results.rglob("*.json"),
        *results.rglob("*.safetensors"),
    ]
    assert len(touched) > 100
    for path in touched:
        os.utime(path, (later, later))
    assert plan(finished_copy) == []


def test_comments_and_docstrings_run_nothing_again(finished_copy):
    scripts = finished_copy / "workflow" / "scripts"
    before = {path: path.read_text() for path in scripts.rglob("*.py")}
    for path in before:
        remark_on(path)
    assert all(path.read_text() != text for path, text in before.items())
    assert '"""Edited. ' in (scripts / "crossres" / "jobs.py").read_text()
    assert plan(finished_copy) == []


def test_a_setting_of_one_network_retrains_that_network_alone(finished):
    jobs = plan_changed(finished, simulated(networks__cnn__learning_rate=5e-4))
    assert trained(jobs) == {"cnn/0", "cnn/1"}
    assert restored(jobs) == measured(jobs) == {"cnn", "cnn.seed_1"}
    assert figures_of(jobs) == FIGURES_OF_METRICS | {"losses"}
    following = {"train_network", "export_model", "restore_fields", "collect_restored"}
    assert rules_of(jobs) == following | {"measure_fields"} | JOINED


def test_a_further_seed_is_trained_restored_and_measured_alone(finished):
    jobs = plan_changed(finished, simulated(networks__cnn__seeds=[0, 1, 2]))
    assert trained(jobs) == {"cnn/2"}
    assert restored(jobs) == measured(jobs) == {"cnn.seed_2"}
    assert wildcards_of(jobs, "restoration") == {"cnn.seed_2"}
    following = {"train_network", "export_model", "restore_fields", "collect_restored"}
    assert rules_of(jobs) == following | {"measure_fields"} | JOINED


def test_a_further_network_is_trained_restored_and_measured_alone(finished):
    tiny = {"width": 2, "groups": 1, "blocks": 1, "reduction": 2, "iterations": 6, "batch": 2}
    jobs = plan_changed(finished, simulated(networks__rcan=tiny))
    assert trained(jobs) == {"rcan/0"}
    assert restored(jobs) == measured(jobs) == {"rcan"}
    following = {"train_network", "export_model", "restore_fields", "collect_restored"}
    assert rules_of(jobs) == following | {"measure_fields"} | JOINED


def test_a_further_classical_method_leaves_the_networks_as_they_are(finished_copy):
    settings = simulated()
    method = settings["deconvolution"].pop("nnls")
    write_experiment(finished_copy, settings)
    assert trained(plan(finished_copy)) == set()
    for made in ("deconvolution", "restored", "restored_batches", "measured"):
        shutil.rmtree(finished_copy / "results" / EXPERIMENT / "beads" / made / "nnls")
    jobs = plan_changed(finished_copy, changed(settings, deconvolution__nnls=method))
    assert (trained(jobs), restored(jobs), measured(jobs)) == (set(), {"nnls"}, {"nnls"})


def test_a_network_that_is_left_out_and_comes_back_finds_its_model(finished_copy):
    settings = simulated()
    del settings["networks"]["gan"]
    write_experiment(finished_copy, settings)
    jobs = plan(finished_copy)
    assert (trained(jobs), restored(jobs), measured(jobs)) == (set(), set(), set())
    write_experiment(finished_copy, simulated())
    assert plan(finished_copy) == []


@pytest.mark.parametrize(
    ("changes", "configuration", "again", "figures"),
    [
        ({"title": "Another title"}, {}, {"write_report", "export_model"}, set()),
        (
            {"measure__spots__isolation_nm": 500},
            {},
            {"measure_fields"} | JOINED,
            FIGURES_OF_METRICS,
        ),
        (
            {"deconvolution__richardson_lucy__damping": [0, 0.1]},
            {},
            {"tune_deconvolution", "choose_deconvolution", "deconvolve_fields"}
            | {"collect_restored", "measure_fields"}
            | JOINED,
            FIGURES_OF_METRICS | {"deconvolution"},
        ),
        ({}, {"device": "auto"}, set(), set()),
        ({}, {"keep_stages": True}, set(), set()),
    ],
    ids=["title", "measuring", "deconvolution", "device", "keep_stages"],
)
def test_what_concerns_no_training_retrains_nothing(
    finished, changes, configuration, again, figures
):
    jobs = plan_changed(finished, simulated(**changes), **configuration)
    assert rules_of(jobs) == again
    assert figures_of(jobs) == figures
    assert restored(jobs) <= {"richardson_lucy"}


def test_more_test_fields_leave_training_and_validation_fields_alone(finished):
    fields = {"train": 2, "validation": 1, "test": 3}
    jobs = plan_changed(finished, simulated(source__simulator__acquisition__fields=fields))
    assert wildcards_of(jobs, "batch") == {"test_000"}
    assert trained(jobs) == set()
    assert {"tune_deconvolution", "extract_patches"}.isdisjoint(rules_of(jobs))


FIELDS = {"train": 3, "validation": 1, "test": 2}


@pytest.mark.parametrize(
    "changes",
    [
        {"patches__per_field": 5},
        {"modalities__target__saturation_factor": 5.0},
        {"source__simulator__acquisition__fields": FIELDS},
        {"source__simulator__sample__diameter_nm": 40},
        {"registration": {"max_shift_nm": 200}},
    ],
    ids=["patches", "optics", "training fields", "sample", "registration"],
)
def test_what_changes_the_training_data_retrains_every_network(finished, changes):
    jobs = plan_changed(finished, changed(simulated(), **changes))
    assert trained(jobs) == {"gan/0", "cnn/0", "cnn/1"}


@pytest.mark.parametrize(
    ("edited", "again", "kept"),
    [
        (
            "crossres/measure/spots.py",
            {"measure_fields", "check_claims", "plot_figure"},
            {"simulate_acquisition", "register_fields", "train_network", "restore_fields"},
        ),
        (
            "crossres/training/loop.py",
            {"train_network", "restore_fields", "measure_fields"},
            {"simulate_acquisition", "register_fields", "extract_patches", "tune_deconvolution"},
        ),
        (
            "crossres/deconvolution/landweber.py",
            {"tune_deconvolution", "deconvolve_fields", "measure_fields"},
            {"simulate_acquisition", "register_fields", "extract_patches", "train_network"},
        ),
        (
            "crossres/images/reading.py",
            # raw images are gone once they are imported
            {"simulate_acquisition", "import_images", "register_fields", "train_network"},
            set(),
        ),
        (
            # of a stage that was only passed through, and is gone
            "import_images.py",
            {"import_images", "resample_input", "register_fields", "train_network"},
            set(),
        ),
        (
            "crossres/samples/beads.py",
            {"simulate_acquisition", "import_images", "register_fields", "train_network"},
            set(),
        ),
    ],
    ids=["a measurement", "training", "a baseline", "reading", "a deleted stage", "the sample"],
)
def test_editing_code_runs_again_what_uses_it(finished_copy, edited, again, kept):
    edit(finished_copy / "workflow" / "scripts" / edited)
    rules = rules_of(plan(finished_copy))
    assert again <= rules
    assert rules.isdisjoint(kept)


def test_editing_a_figure_draws_that_figure_alone(finished_copy):
    edit(finished_copy / "workflow" / "scripts" / "plot_snr.py")
    jobs = plan(finished_copy)
    assert rules_of(jobs) == {"plot_figure"}
    assert figures_of(jobs) == {"snr"}


@pytest.mark.parametrize(
    "edited",
    ["crossres/samples/cells.py", "crossres/networks/rcan.py", "place_truth.py"],
    ids=["another sample", "another network", "another acquisition"],
)
def test_editing_what_is_not_used_runs_nothing_again(finished_copy, edited):
    edit(finished_copy / "workflow" / "scripts" / edited)
    assert plan(finished_copy) == []


def plan_sheet(folder, **changes):
    write_experiment(folder, of_sheet(**SHEET_SETTINGS, **changes))
    return plan(folder, *SHEET_TARGETS)


def touch_all(folder):
    later = time.time() + 3600
    for path in (folder / "pairs.tsv", *(folder / "data").iterdir()):
        os.utime(path, (later, later))
    return {}


def move_data(folder):
    (folder / "data").rename(folder / "elsewhere")
    return {"source__data_root": "elsewhere"}


def add_empty_line(folder):
    sheet = folder / "pairs.tsv"
    header, *rows = sheet.read_text().splitlines()
    sheet.write_text("\n".join([header, "", *rows[:2], "", *rows[2:]]) + "\n")
    return {}


def swap_rows(folder):
    write_sheet(folder / "pairs.tsv", read_sheet_rows(folder / "pairs.tsv")[::-1])
    return {}


@pytest.mark.parametrize("change", [None, touch_all, move_data, add_empty_line, swap_rows])
def test_what_leaves_the_images_as_they_are_runs_nothing_again(copy_of_sheet, change):
    changes = change(copy_of_sheet) if change else {}
    assert plan_sheet(copy_of_sheet, **changes) == []


def test_a_field_to_apply_to_on_top_of_a_sheet_concerns_its_own_batch_alone(copy_of_sheet):
    rows = read_sheet_rows(copy_of_sheet / "pairs.tsv")
    shutil.copy(copy_of_sheet / "data" / "f4_input.tif", copy_of_sheet / "data" / "a_input.tif")
    applied = rows[-1] | {"field": "a", "input": "a_input.tif"}
    assert applied["split"] == "apply"
    write_sheet(copy_of_sheet / "pairs.tsv", [applied, *rows])
    jobs = plan_sheet(copy_of_sheet)
    assert wildcards_of(jobs, "batch") == {"apply_000"}
    assert wildcards_of(jobs, "role") == {"input"}
    preparing = {"import_images", "subtract_background", "resample_input"}
    assert rules_of(jobs) == preparing | {"deconvolve_fields", "collect_restored"}


@pytest.mark.parametrize(("number", "batch"), [(3, "test_000"), (4, "apply_000")])
def test_a_raw_file_exchanged_for_an_older_one_runs_again_what_uses_it(
    copy_of_sheet, number, batch
):
    path = copy_of_sheet / "data" / f"f{number}_input.tif"
    path.write_bytes(path.read_bytes()[:-1] + b"0")
    os.utime(path, (1, 1))
    jobs = plan_sheet(copy_of_sheet)
    assert wildcards_of(jobs, "batch") == {batch}
    assert wildcards_of(jobs, "role") >= {"input"}
    used = {"import_images", "subtract_background", "resample_input", "deconvolve_fields"}
    assert used <= rules_of(jobs)
    assert ("measure_fields" in rules_of(jobs)) == (batch == "test_000")
    assert {"find_constants", "tune_deconvolution"}.isdisjoint(rules_of(jobs))


def test_a_training_file_that_was_exchanged_concerns_what_constants_were_taken_from(copy_of_sheet):
    path = copy_of_sheet / "data" / "f1_input.tif"
    path.write_bytes((copy_of_sheet / "data" / "f0_input.tif").read_bytes())
    os.utime(path, (1, 1))
    jobs = plan_sheet(copy_of_sheet)
    assert {"find_constants", "resample_input", "deconvolve_fields"} <= rules_of(jobs)


def give_pixel_sizes(folder):
    rows = read_sheet_rows(folder / "pairs.tsv")
    write_sheet(folder / "pairs.tsv", [{**row, "input_pixel_size_nm": "30"} for row in rows])
    return {}


@pytest.mark.parametrize(
    "change",
    [give_pixel_sizes, lambda folder: {"modalities__input__pixel_size_nm": 30}],
    ids=["sheet", "modality"],
)
def test_settings_of_the_import_concern_all_that_was_made_of_deleted_stages(copy_of_sheet, change):
    batches = {f"{split}_000" for split in SHEET_SPLITS} - {"train_000"}
    jobs = plan_sheet(copy_of_sheet, **change(copy_of_sheet))
    assert wildcards_of(jobs, "batch", "import_images") >= batches
    assert wildcards_of(jobs, "batch", "resample_input") >= batches
    assert {"find_constants", "register_fields", "measure_fields"} <= rules_of(jobs)
