"""No restoration has seen a target of the blind test, nor anything that was made from one.

The graph is walked by files: from a file to the job that writes it, to the files that this job
reads. A simulating job writes input, target and truth together, and what nobody reads of these
is not followed.
"""

import re
import shutil

import numpy as np
import pytest
from tiny_experiments import (
    EXPERIMENT,
    of_sheet,
    scanned,
    simulated,
    write_experiment,
    write_pairs,
)
from workflow_runs import REPOSITORY, copy_workflow, plan, succeed

from crossres.experiments import load_experiments
from crossres.images import read_image
from crossres.settings import load_config, load_experiment_settings

ANSWERS = re.compile(
    r"/(raw|imported|subtracted|tiles|stitched)/target/(test|apply)_\d+"
    r"|/(registered|registration|registration_error|displacement)/(test|apply)_\d+"
    r"|/measured/|/registration\.csv|/registration_error\.csv|/metrics\.csv|/structures\.csv"
    r"|/(placed_)?truth/"
)
"""Files that hold a target of the blind test, were made from one, or know the truth."""

BLIND_BATCH = re.compile(r"/(test|apply)_\d+")
SPLITS = ["train", "train", "validation", "test", "apply"]
SHEET_ANSWERS = {f"data/f{SPLITS.index('test')}_target.tif"}
SHEET_BLIND = SHEET_ANSWERS | {f"data/f{n}_input.tif" for n in (3, 4)}
BACKGROUND = {"preprocess__background": {"method": "find", "region_px": 16}}
SOURCES = ["simulated", "background", "sheet", "many batches", "scans", "scans by channel"]
CONSTANTS = re.compile(r"/(raw|imported)/target/train_000$|^data/f[01]_target\.tif$")
"""The first batch of training targets, whose pixel size and background are taken for all."""

TRUTH = re.compile(r"/(placed_)?truth/(train|validation|test)_\d+$")
"""What the simulator knows of a batch."""

KNOWING = {"measure_fields", "measure_registration", "collect_tables", "collect_details"}
KNOWING |= {"plot_figure", "check_claims", "write_report", "place_truth"}
"""Rules that may know the truth, or what was made with it."""


@pytest.fixture(scope="module", params=SOURCES)
def jobs(request, tmp_path_factory):
    """All jobs of an experiment."""
    workspace = copy_workflow(tmp_path_factory.mktemp("planned") / "repository")
    per_job = 50
    if request.param == "simulated":
        settings = simulated()
    elif request.param == "background":
        settings = simulated(**BACKGROUND)
    elif request.param == "many batches":
        settings, per_job = simulated(**BACKGROUND), 1
    elif request.param == "scans":
        settings = scanned(**BACKGROUND, deconvolution__nnls={})
    elif request.param == "scans by channel":
        scenes = {"train": 2, "validation": 2, "test": 2}
        settings = scanned(
            source__stitch__channel=None,
            source__simulator__acquisition__scenes=scenes,
            deconvolution__nnls={},
        )
        per_job = 1
    else:
        write_pairs(workspace, SPLITS)
        settings = of_sheet(**BACKGROUND)
    write_experiment(workspace, settings, fields_per_job=per_job)
    jobs = plan(workspace)
    if request.param == "sheet":
        name_raw_files(jobs)
    return jobs


def name_raw_files(jobs):
    """Count the files of the sheet among what is imported: they are params, known by content."""
    for job in jobs:
        if job.rule == "import_images":
            split = job.wildcards["batch"].removesuffix("_000")
            job.inputs += [
                f"data/f{number}_{job.wildcards['role']}.tif"
                for number, one in enumerate(SPLITS)
                if one == split
            ]


def ancestors(jobs, path):
    """Every file that a file was made from, by any number of steps."""
    writer = {output: job for job in jobs for output in job.outputs}
    found, waiting = set(), [path]
    while waiting:
        for read in writer_of(writer, waiting.pop()):
            if read not in found:
                found.add(read)
                waiting.append(read)
    return found


def writer_of(writer, path):
    """What the job reads that writes a file, or the folder that holds it."""
    parts = path.split("/")
    for depth in range(len(parts), 0, -1):
        job = writer.get("/".join(parts[:depth]))
        if job is not None:
            return job.inputs
    return []


def outputs_like(jobs, pattern):
    found = [path for job in jobs for path in job.outputs if re.search(pattern, path)]
    assert found
    return found


def test_no_restoration_descends_from_an_answer(jobs):
    for path in outputs_like(jobs, "/restored(_batches)?/"):
        seen = ancestors(jobs, path)
        # the walk reached the raw images, or it would prove nothing
        assert any(re.search("/raw/input/(test|apply)_", f) or f in SHEET_BLIND for f in seen)
        assert not [file for file in seen if ANSWERS.search(file) or file in SHEET_ANSWERS]


def test_what_is_restored_knows_of_targets_the_constants_of_the_first_training_batch(jobs):
    for path in outputs_like(jobs, "/resampled/(test|apply)_"):
        seen = ancestors(jobs, path)
        targets = {file for file in seen if "target" in file}
        assert not {file for file in targets if not CONSTANTS.search(file)}
        assert any("/imported/target/train_000" in file for file in targets)
        # through one file alone: without it no target is behind what is restored
        readers = [job for job in jobs if "/imported/target/train_000" in " ".join(job.inputs)]
        behind = {job.rule for job in readers if set(job.outputs) & seen}
        assert behind == {"find_constants"}


def test_the_same_walk_from_the_metrics_does_reach_the_answers(jobs):
    for path in outputs_like(jobs, "/metrics.csv"):
        seen = ancestors(jobs, path)
        reached = [file for file in seen if ANSWERS.search(file)]
        assert any("/registered/test_000" in file for file in reached)
        assert any("/imported/target/test_000" in file for file in reached)
        assert any("/raw/target/test_000" in file or file in SHEET_ANSWERS for file in seen)


@pytest.mark.parametrize("made", ["/models/", "/patches/", "/deconvolution/"])
def test_what_is_chosen_before_the_test_descends_from_no_blind_field(jobs, made):
    for path in outputs_like(jobs, made):
        seen = ancestors(jobs, path)
        assert any("/validation_" in file for file in seen)
        assert not [file for file in seen if BLIND_BATCH.search(file) or file in SHEET_BLIND]


def test_the_truth_is_read_by_measuring_alone(jobs):
    readers = {job.rule for job in jobs if any(map(TRUTH.search, job.inputs))}
    expected = set()
    if any(job.rule == "simulate_acquisition" for job in jobs):
        expected = {"measure_registration", "measure_fields"}
    if any(job.rule == "stitch_tiles" for job in jobs):
        expected |= {"place_truth"}
    assert readers == expected


def test_nothing_but_tables_and_figures_descends_from_the_truth(jobs):
    knowing = {
        job.rule
        for job in jobs
        for path in job.outputs
        if job.rule != "simulate_acquisition"
        and any("truth/" in file for file in ancestors(jobs, path))
    }
    assert knowing <= KNOWING


def test_every_network_sees_the_same_patches(jobs):
    trainings = [job for job in jobs if job.rule == "train_network"]
    channels = {job.wildcards["channel"] for job in trainings}
    assert len({tuple(job.inputs) for job in trainings}) == len(channels)


def test_restoring_needs_no_answer_to_be_there(finished_copy):
    channel = finished_copy / "results" / EXPERIMENT / "beads"
    names = ("gan", "richardson_lucy")

    def restored():
        paths = (channel / "restored" / name / "test_0000.ome.tif" for name in names)
        return np.stack([read_image(path).array for path in paths])

    before = restored()
    answers = ["truth", "registered/test_000", "displacement/test_000", "measured"]
    for answer in answers:
        shutil.rmtree(channel / answer)
    targets = [f"results/{EXPERIMENT}/beads/restored/{name}" for name in names]
    succeed(finished_copy, *targets, "--forcerun", "restore_fields", "deconvolve_fields")
    np.testing.assert_array_equal(restored(), before)
    assert not [answer for answer in answers if (channel / answer).exists()]


@pytest.mark.parametrize(
    "path", sorted((REPOSITORY / "config" / "experiments").glob("*.yaml")), ids=lambda p: p.stem
)
@pytest.mark.parametrize("scale", ["demo", "paper"])
def test_no_field_lies_in_two_splits(path, scale, monkeypatch):
    source = load_experiment_settings(path.stem, scale, path.parent).source
    if source.sheet and not (REPOSITORY / source.images_folder).is_dir():
        pytest.skip(f"{source.images_folder} is not beside the repository")
    monkeypatch.chdir(REPOSITORY)
    config = load_config({"experiments": [path.stem], "scale": scale})
    experiment = load_experiments(config, path.parent)[path.stem]
    for channel in experiment.channels:
        fields = [field for field in experiment.fields if field.channel == channel]
        assert len({field.name for field in fields}) == len(fields)
        places = {(field.input, field.cut_index, field.name) for field in fields}
        assert len(places) == len(fields)
        assert {field.split for field in fields} <= {"train", "validation", "test", "apply"}


def test_fields_of_a_sheet_are_split_by_group(workspace, monkeypatch):
    groups = ["a", "a", "b", "b", "c", "c", "d", "d"]
    write_pairs(workspace, [""] * 8, group=groups)
    fractions = {"train": 0.5, "validation": 0.25, "test": 0.25}
    write_experiment(workspace, of_sheet(source__split_fractions=fractions), "grouped")
    monkeypatch.chdir(workspace)
    config = load_config({"experiments": ["grouped.yaml"]})
    fields = load_experiments(config, workspace)["grouped"].fields
    splits = {}
    for field, group in zip(fields, groups, strict=True):
        splits.setdefault(group, set()).add(field.split)
    assert all(len(found) == 1 for found in splits.values())
    counts = [field.split for field in fields]
    assert {split: counts.count(split) for split in set(counts)} == {
        "train": 4,
        "validation": 2,
        "test": 2,
    }
