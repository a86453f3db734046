"""Every experiment of the repository can be planned, and experiments are chosen as documented."""

import pytest
import yaml
from tiny_experiments import simulated, write_experiment
from workflow_runs import REPOSITORY, plan, rules_of

from crossres.experiments import load_experiment_settings

FOLDER = REPOSITORY / "config" / "experiments"
EXPERIMENTS = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def require_data(name):
    """Skip an experiment whose images are not on this machine."""
    settings = load_experiment_settings(name, "paper", FOLDER)
    root = settings["source"].get("data_root")
    if "sheet" in settings["source"] and not (REPOSITORY / (root or ".")).is_dir():
        pytest.skip(f"{root} is not beside the repository")


def beside_the_data(workspace):
    """Show the copy what lies beside the repository, where paths of experiments lead."""
    shared = REPOSITORY.parent / "shared"
    if shared.is_dir():
        (workspace.parent / "shared").symlink_to(shared, target_is_directory=True)


@pytest.mark.parametrize("scale", ["demo", "paper"])
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_is_planned_at_either_scale(workspace, name, scale):
    require_data(name)
    beside_the_data(workspace)
    jobs = plan(workspace, "--config", f"experiments=[{name}]", f"scale={scale}", configured=False)
    settings = load_experiment_settings(name, scale, FOLDER)
    networks = settings["networks"]
    needed = {str(network["initialise_from"]).split("/")[0] for network in networks.values()}
    worked_on = {job.wildcards["experiment"] for job in jobs if job.wildcards}
    assert worked_on == {name} | needed - {"None"}
    trained = {
        job.wildcards["network"]
        for job in jobs
        if job.rule == "train_network" and job.wildcards["experiment"] == name
    }
    assert trained == set(networks)
    rules = rules_of(jobs)
    assert {"import_images", "register_fields", "plot_registration", "check_claims"} < rules
    baselines = {"richardson_lucy", "nnls"} & set(settings["deconvolution"])
    restores = bool(networks or baselines)
    assert ("measure_fields" in rules) == restores


def test_the_default_run_is_what_config_yaml_says(workspace):
    configured = yaml.safe_load((workspace / "config" / "config.yaml").read_text())["experiments"]
    jobs = plan(workspace, configured=False)
    assert {job.wildcards["experiment"] for job in jobs if job.wildcards} == set(configured)


def test_fields_are_worked_through_in_jobs_of_fields_per_job(workspace):
    settings = simulated(source__simulator__fields={"train": 7, "validation": 1, "test": 3})
    write_experiment(workspace, settings, fields_per_job=3)
    jobs = plan(workspace)
    batches = {job.wildcards["batch"] for job in jobs if job.rule == "register_fields"}
    assert batches == {"train_000", "train_001", "train_002", "validation_000", "test_000"}


def test_an_experiment_can_be_a_path(workspace, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write_experiment(elsewhere, simulated(), "mine")
    path = elsewhere / "mine.yaml"
    jobs = plan(workspace, "--config", f"experiments=[{path}]", configured=False)
    assert {job.wildcards["experiment"] for job in jobs if job.wildcards} == {"mine"}
    assert "results/mine/beads/metrics.csv" in {path for job in jobs for path in job.outputs}


def test_a_configfile_replaces_the_list_of_experiments(workspace):
    write_experiment(workspace, simulated(), "mine")
    jobs = plan(workspace)
    assert {job.wildcards["experiment"] for job in jobs if job.wildcards} == {"mine"}


def test_two_experiments_run_side_by_side(workspace):
    write_experiment(workspace, simulated(), "first")
    write_experiment(workspace, simulated(), "second", experiments=["first.yaml", "second.yaml"])
    jobs = plan(workspace)
    restored = {path for job in jobs for path in job.outputs if path.endswith("/restored/gan")}
    assert restored == {f"results/{name}/beads/restored/gan" for name in ("first", "second")}


def test_the_demo_section_counts_at_demo_scale_alone(workspace):
    settings = simulated(demo__networks__cnn__seeds=[0, 1, 2, 3])
    write_experiment(workspace, settings)
    seeds = {}
    for scale in ("demo", "paper"):
        jobs = plan(workspace, "--config", f"scale={scale}")
        trainings = [job.wildcards for job in jobs if job.rule == "train_network"]
        seeds[scale] = sorted(w["seed"] for w in trainings if w["network"] == "cnn")
    assert seeds == {"demo": ["0", "1", "2", "3"], "paper": ["0", "1"]}


def test_without_networks_or_baselines_fields_are_registered_and_no_more(workspace):
    settings = simulated(networks={}, deconvolution={}, measure={})
    write_experiment(workspace, settings)
    rules = rules_of(plan(workspace))
    assert {"collect_registration", "plot_registration", "write_report"} <= rules
    assert rules.isdisjoint({"train_network", "restore_fields", "deconvolve_fields"})
    assert rules.isdisjoint({"extract_patches", "measure_fields", "plot_quality", "plot_fwhm"})
