"""What runs again after a change, and what does not: all by dry runs on the finished run."""

import os
import time

import pytest
from tiny_experiments import EXPERIMENT, changed, of_sheet, simulated, write_experiment, write_pairs
from workflow_runs import outputs_of, plan, rules_of, succeed

CHANNEL = f"results/{EXPERIMENT}/beads"
MEASURING = {"measure_fields", "check_claims", "write_report"}
FIGURES_OF_METRICS = {"plot_snr", "plot_quality", "plot_examples", "plot_fwhm", "plot_profiles"}


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
    folders = outputs_of(jobs, "restore_fields") | outputs_of(jobs, "deconvolve_fields")
    return {folder.rsplit("/", 1)[-1] for folder in folders}


def edit(path):
    path.write_text(path.read_text() + "\n# a remark\n")


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


def test_touching_a_sheet_or_its_images_imports_nothing_again(workspace):
    write_pairs(workspace, ["train", "validation", "test"])
    write_experiment(workspace, of_sheet())
    imported = f"{CHANNEL}/imported/input/train_000"
    succeed(workspace, imported)
    later = time.time() + 3600
    for path in (workspace / "pairs.tsv", *(workspace / "data").iterdir()):
        os.utime(path, (later, later))
    assert plan(workspace, imported) == []
    # another image under the same name must not pass for the one that was imported
    (workspace / "data" / "f0_input.tif").write_bytes(
        (workspace / "data" / "f1_input.tif").read_bytes()
    )
    assert rules_of(plan(workspace, imported)) == {"import_images"}


def test_a_setting_of_one_network_retrains_that_network_alone(finished):
    jobs = plan_changed(finished, simulated(networks__cnn__learning_rate=5e-4))
    assert trained(jobs) == {"cnn/0", "cnn/1"}
    assert restored(jobs) == {"cnn", "cnn.seed_1"}
    following = {"train_network", "export_model", "restore_fields", "plot_losses"}
    following |= MEASURING | FIGURES_OF_METRICS
    assert rules_of(jobs) == following


def test_a_further_seed_trains_that_seed_alone(finished):
    jobs = plan_changed(finished, simulated(networks__cnn__seeds=[0, 1, 2]))
    assert trained(jobs) == {"cnn/2"}
    assert restored(jobs) == {"cnn.seed_2"}


def test_a_further_network_leaves_the_others_as_they_are(finished_copy):
    settings = simulated()
    del settings["networks"]["gan"]
    write_experiment(finished_copy, settings)
    assert trained(plan(finished_copy)) == set()
    # a network that comes back finds its model where it was
    write_experiment(finished_copy, simulated())
    assert trained(plan(finished_copy)) == set()


@pytest.mark.parametrize(
    ("changes", "configuration", "again"),
    [
        ({"title": "Another title"}, {}, {"write_report", "export_model"}),
        ({"measure__spots__isolation_nm": 500}, {}, MEASURING | FIGURES_OF_METRICS),
        (
            {"deconvolution__richardson_lucy__damping": [0, 0.1]},
            {},
            {"tune_deconvolution", "deconvolve_fields", "plot_deconvolution"}
            | MEASURING
            | FIGURES_OF_METRICS,
        ),
        ({}, {"device": "auto"}, set()),
    ],
    ids=["title", "measuring", "deconvolution", "device"],
)
def test_what_concerns_no_training_retrains_nothing(finished, changes, configuration, again):
    jobs = plan_changed(finished, simulated(**changes), **configuration)
    assert rules_of(jobs) == again
    assert restored(jobs) <= {"richardson_lucy"}


def test_more_test_fields_leave_training_and_validation_fields_alone(finished):
    settings = simulated(source__simulator__fields={"train": 2, "validation": 1, "test": 3})
    jobs = plan_changed(finished, settings)
    batches = {job.wildcards["batch"] for job in jobs if "batch" in job.wildcards}
    assert batches == {"test_000"}
    assert trained(jobs) == set()
    assert {"tune_deconvolution", "extract_patches"}.isdisjoint(rules_of(jobs))


@pytest.mark.parametrize(
    "changes",
    [
        {"patches__per_field": 5},
        {"modalities__target__saturation_factor": 5.0},
        {"source__simulator__fields": {"train": 3, "validation": 1, "test": 2}},
        {"registration": {"max_shift_nm": 200}},
    ],
    ids=["patches", "optics", "training fields", "registration"],
)
def test_what_changes_the_training_data_retrains_every_network(finished, changes):
    jobs = plan_changed(finished, changed(simulated(), **changes))
    assert trained(jobs) == {"gan/0", "cnn/0", "cnn/1"}


@pytest.mark.parametrize(
    ("edited", "again", "kept"),
    [
        (
            "crossres/measure/peak.py",
            {"check_claims", "plot_fwhm"},
            {"register_fields", "train_network", "restore_fields", "measure_fields"},
        ),
        (
            "crossres/measure/spots.py",
            {"measure_fields", "check_claims", "plot_fwhm"},
            {"simulate_acquisition", "register_fields", "train_network", "restore_fields"},
        ),
        (
            "crossres/training/loop.py",
            {"train_network", "restore_fields", "measure_fields"},
            {"simulate_acquisition", "register_fields", "extract_patches", "tune_deconvolution"},
        ),
        (
            "crossres/restoration/landweber.py",
            {"tune_deconvolution", "deconvolve_fields", "measure_fields"},
            {"simulate_acquisition", "register_fields", "extract_patches", "train_network"},
        ),
        (
            "plot_snr.py",
            {"plot_snr"},
            {"measure_fields", "plot_fwhm", "write_report", "train_network"},
        ),
        (
            "crossres/images/reading.py",
            {"import_images", "register_fields", "extract_patches", "train_network"},
            {"simulate_acquisition"},
        ),
    ],
    ids=["a fit to measurements", "a measurement", "training", "a baseline", "a figure", "reading"],
)
def test_editing_code_runs_again_what_uses_it(finished_copy, edited, again, kept):
    edit(finished_copy / "workflow" / "scripts" / edited)
    rules = rules_of(plan(finished_copy))
    assert again <= rules
    assert rules.isdisjoint(kept)
