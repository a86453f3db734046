"""Every experiment of the repository can be planned, and experiments are chosen as documented."""

import pytest
import yaml
from tiny_experiments import simulated, write_experiment
from workflow_runs import REPOSITORY, figures_of, plan, rules_of, wildcards_of

from crossres.settings import load_experiment_settings

FOLDER = REPOSITORY / "config" / "experiments"
EXPERIMENTS = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def require_data(name):
    """Skip an experiment whose images are not on this machine."""
    source = load_experiment_settings(name, "paper", FOLDER).source
    if source.sheet and not (REPOSITORY / source.images_folder).is_dir():
        pytest.skip(f"{source.images_folder} is not beside the repository")


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
    networks = settings.networks.trained
    needed = {str(network.initialise_from).split("/")[0] for network in networks.values()}
    assert wildcards_of(jobs, "experiment") == {name} | needed - {"None"}
    trained = {
        job.wildcards["network"]
        for job in jobs
        if job.rule == "train_network" and job.wildcards["experiment"] == name
    }
    assert trained == set(networks)
    rules = rules_of(jobs)
    assert {"import_images", "register_fields", "plot_figure", "check_claims"} < rules
    assert "registration" in figures_of(jobs)
    restores = bool(networks or settings.deconvolution.methods)
    assert ("measure_fields" in rules) == restores


def test_the_default_run_is_what_config_yaml_says(workspace):
    configured = yaml.safe_load((workspace / "config" / "config.yaml").read_text())["experiments"]
    jobs = plan(workspace, configured=False)
    assert wildcards_of(jobs, "experiment") == set(configured)


def test_fields_are_worked_through_in_jobs_of_fields_per_job(workspace):
    fields = {"train": 7, "validation": 1, "test": 4}
    write_experiment(
        workspace, simulated(source__simulator__acquisition__fields=fields), fields_per_job=3
    )
    jobs = plan(workspace)
    blind = {"test_000", "test_001"}
    learnt = {"train_000", "train_001", "train_002", "validation_000"}
    assert wildcards_of(jobs, "batch", "register_fields") == learnt | blind
    # what is restored, tuned and measured is a job a restoration and batch
    restorations = {"nnls", "richardson_lucy", "gan", "cnn", "cnn.seed_1"}
    measured = [job for job in jobs if job.rule == "measure_fields"]
    assert len(measured) == 2 * len(restorations | {"input", "target", "truth"})
    for rule in ("measure_fields", "restore_fields", "deconvolve_fields"):
        assert wildcards_of(jobs, "batch", rule) == blind
    assert wildcards_of(jobs, "batch", "tune_deconvolution") == {"validation_000"}
    assert wildcards_of(jobs, "restoration", "collect_restored") == restorations


def test_an_experiment_can_be_a_path(workspace, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write_experiment(elsewhere, simulated(), "mine")
    path = elsewhere / "mine.yaml"
    jobs = plan(workspace, "--config", f"experiments=[{path}]", configured=False)
    assert wildcards_of(jobs, "experiment") == {"mine"}
    assert "results/mine/beads/metrics.csv" in {path for job in jobs for path in job.outputs}


def test_a_configfile_replaces_the_list_of_experiments(workspace):
    write_experiment(workspace, simulated(), "mine")
    jobs = plan(workspace)
    assert wildcards_of(jobs, "experiment") == {"mine"}


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
    jobs = plan(workspace)
    rules = rules_of(jobs)
    assert {"collect_tables", "register_fields", "write_report"} <= rules
    assert figures_of(jobs) == {"registration"}
    assert rules.isdisjoint({"train_network", "restore_fields", "deconvolve_fields"})
    assert rules.isdisjoint({"extract_patches", "measure_fields", "collect_restored"})
