"""An experiment can begin from another's models: these are trained first, and no more is made."""

import re

import numpy as np
import pandas as pd
import pytest
import yaml
from safetensors.numpy import load_file
from test_blindness import ANSWERS, BLIND_BATCH, ancestors, outputs_like
from tiny_experiments import EXPERIMENT, changed, simulated, write_experiment
from workflow_runs import copy_workflow, plan, refuse, rules_of, succeed, wildcards_of

TRUTH = re.compile(r"/truth/(train|validation|test)_\d+$")

NUCLEI = "confocal_sted_nuclei"
BEADS_MODEL = f"results/{EXPERIMENT}/beads/models/gan/seed_0/model.safetensors"
CHANNEL = f"results/{NUCLEI}/H3K4me3"


def nuclei(**changes):
    """Return a tiny experiment on nuclei whose gan begins from the tiny experiment on beads."""
    settings = simulated(deconvolution={}, measure={})
    simulator = settings["source"]["simulator"]
    simulator |= {"channel": "H3K4me3", "sample": {"kind": "nuclear_puncta", "puncta_per_um2": 6}}
    simulator["acquisition"]["kind"] = "repeats"
    del settings["networks"]["cnn"]
    settings["networks"]["gan"]["initialise_from"] = EXPERIMENT
    return changed(settings, **changes)


def write_both(folder, **changes):
    """Write both experiments, and the configuration that asks for the nuclei alone."""
    write_experiment(folder, simulated(), EXPERIMENT)
    write_experiment(folder, nuclei(**changes), NUCLEI)


@pytest.fixture(scope="module")
def jobs(tmp_path_factory):
    """All jobs of the nuclei asked for alone, fields worked through one by one."""
    workspace = copy_workflow(tmp_path_factory.mktemp("planned") / "repository")
    write_experiment(workspace, simulated(), EXPERIMENT)
    write_experiment(workspace, nuclei(), NUCLEI, fields_per_job=1)
    return plan(workspace)


def jobs_on(jobs, experiment):
    return [job for job in jobs if job.wildcards.get("experiment") == experiment]


def test_the_other_experiments_model_is_trained_first(jobs):
    trainings = [job for job in jobs_on(jobs, NUCLEI) if job.rule == "train_network"]
    assert [BEADS_MODEL in job.inputs for job in trainings] == [True]
    assert BEADS_MODEL in {path for job in jobs for path in job.outputs}


def test_of_the_other_experiment_no_more_is_made_than_its_model_takes(jobs):
    others = jobs_on(jobs, EXPERIMENT)
    assert {job.wildcards["network"] for job in others if job.rule == "train_network"} == {"gan"}
    assert not {batch for batch in wildcards_of(others, "batch") if batch.startswith("test_")}
    later = {"restore_fields", "deconvolve_fields", "measure_fields", "plot_figure"}
    assert rules_of(others).isdisjoint(later)
    told = [path for job in jobs if not job.wildcards for path in job.inputs]
    assert any(NUCLEI in path for path in told)
    assert not [path for path in told if EXPERIMENT in path]


def test_asked_for_both_are_made_to_the_end(workspace):
    write_both(workspace)
    run = {"experiments": [f"{EXPERIMENT}.yaml", f"{NUCLEI}.yaml"], "device": "cpu"}
    (workspace / "run.yaml").write_text(yaml.safe_dump(run))
    jobs = plan(workspace)
    for name in (EXPERIMENT, NUCLEI):
        assert {"restore_fields", "measure_fields"} <= rules_of(jobs_on(jobs, name))


def test_what_is_restored_and_chosen_descends_from_no_answer_of_either(jobs):
    for path in outputs_like(jobs, "/restored(_batches)?/"):
        seen = ancestors(jobs, path)
        assert any(EXPERIMENT in file for file in seen)
        assert not [file for file in seen if ANSWERS.search(file)]
    for path in outputs_like(jobs, "/models/"):
        assert not [file for file in ancestors(jobs, path) if BLIND_BATCH.search(file)]


def test_further_scans_are_read_by_measuring_alone(jobs):
    readers = {job.rule for job in jobs if any(map(TRUTH.search, job.inputs))}
    assert readers == {"measure_registration", "measure_fields"}


def test_without_a_model_to_begin_from_nothing_is_needed(workspace):
    write_both(workspace, networks__gan__initialise_from=None)
    assert not jobs_on(plan(workspace), EXPERIMENT)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"networks__gan__initialise_from": "confocal_sted_baeds"},
            "did you mean confocal_sted_be",
        ),
        ({"networks__gan__width": 3}, f"width is 3 here and 2 in {EXPERIMENT}"),
        ({"networks__gan__initialise_from": NUCLEI}, f"in a circle, {NUCLEI} -> {NUCLEI}"),
    ],
)
def test_what_cannot_be_begun_from_is_said_before_anything_runs(workspace, changes, words):
    write_both(workspace, **changes)
    assert words in refuse(workspace, "--dry-run")


@pytest.fixture(scope="module")
def finished_transfer(tmp_path_factory):
    """The nuclei from end to end, at a learning rate that changes nothing."""
    folder = copy_workflow(tmp_path_factory.mktemp("transfer") / "repository")
    write_both(folder, networks__gan__learning_rate=1e-12)
    succeed(folder, f"{CHANNEL}/metrics.csv", "--cores", "all")
    return folder


def test_training_begins_from_the_others_weights(finished_transfer):
    before = load_file(finished_transfer / BEADS_MODEL)
    after = load_file(finished_transfer / CHANNEL / "models/gan/seed_0/model.safetensors")
    assert before.keys() == after.keys()
    for name, weights in before.items():
        np.testing.assert_allclose(after[name], weights, atol=1e-7)


def test_the_model_is_validated_before_it_is_trained_on(finished_transfer):
    history = pd.read_csv(finished_transfer / CHANNEL / "models/gan/seed_0/history.csv")
    assert history.iteration.iloc[0] == 0
    assert history.validation_mse.notna().all()


def test_every_method_is_held_against_the_average_of_all_scans(finished_transfer):
    metrics = pd.read_csv(finished_transfer / CHANNEL / "metrics.csv")
    found = metrics[metrics.metric == "pearson_r_scan_mean"]
    assert set(found.method) == {"input", "gan"}
    assert sorted(found.field.unique()) == ["test_0000", "test_0001"]
    assert (found.unit == "1").all()
    one = metrics[(metrics.metric == "pearson_r") & (metrics.method == "input")]
    # the average has less noise than the scan that is the target
    assert found[found.method == "input"].value.mean() > one.value.mean()


def test_another_start_is_another_training(finished_transfer):
    write_both(finished_transfer, networks__gan__initialise_from=None)
    jobs = plan(finished_transfer, f"{CHANNEL}/restored/gan")
    assert rules_of(jobs) == {"train_network", "restore_fields", "collect_restored"}
    assert re.search("models/gan", " ".join(jobs[0].outputs))
