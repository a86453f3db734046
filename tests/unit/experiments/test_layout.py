"""Every path of the results, and which stage of the preparation takes what from which."""

import itertools
import re

import pytest
from scan_rows import HEADER, STITCH, scan_rows

from crossres.experiments import Layout, Restoration

SPLITS = ("train", "validation", "test")
BACKGROUND = {"background": {"method": "find"}}
WILDCARDS = {
    "experiment", "channel", "role", "batch", "split", "network", "seed", "method", "restoration",
    "table", "figure",
}  # fmt: skip


@pytest.fixture
def scans(settings):
    """Settings of simulated stage scans."""
    settings["source"] = {
        "simulator": {
            "sample": {"kind": "cells", "stains": {"actin": {"structure": "filaments"}}},
            "acquisition": {
                "kind": "stage",
                "scenes": dict.fromkeys(SPLITS, 1),
                "scan": {
                    role: {"rows": 2, "columns": 2, "tile_px": 384, "overlap": 0.2}
                    for role in ("input", "target")
                },
            },
        },
        "stitch": STITCH,
    }
    return settings


@pytest.fixture
def load_kind(settings, scans, load, write_sheet):
    """Load an experiment of some kind."""

    def load_one(kind):
        if "beads" in kind:
            settings["source"] = {
                "simulator": {
                    "sample": {"kind": "beads"},
                    "acquisition": {"kind": "pair", "fields": dict.fromkeys(SPLITS, 2)},
                }
            }
        elif "sheet of scans" in kind:
            rows = [row for split in SPLITS for row in scan_rows(split, split=split)]
            source = write_sheet(*rows, header=HEADER)
            settings["source"] = {**source, "stitch": STITCH}
        elif "sheet" in kind:
            source = write_sheet(*(f"{s} c {s}.tif {s}_t.tif {s} ." for s in SPLITS))
            settings["source"] = source
        settings["preprocess"] = BACKGROUND if "background" in kind else {}
        return load(settings)

    return load_one


STAGES = {
    "beads": (["imported", "resampled", "registered"], ["imported", "registered"]),
    "beads, background": (
        ["imported", "subtracted", "resampled", "registered"],
        ["imported", "subtracted", "registered"],
    ),
    "sheet": (["imported", "resampled", "registered"], ["imported", "registered"]),
    "scans": (
        ["imported", "stitched", "cut", "resampled", "registered"],
        ["imported", "stitched", "registered"],
    ),
    "sheet of scans, background": (
        ["imported", "subtracted", "stitched", "cut", "resampled", "registered"],
        ["imported", "subtracted", "stitched", "registered"],
    ),
}


@pytest.mark.parametrize("kind", STAGES)
def test_an_image_goes_through_the_stages_that_the_settings_ask_for(load_kind, kind):
    experiment = load_kind(kind)
    assert (experiment.stages("input"), experiment.stages("target")) == STAGES[kind]


@pytest.mark.parametrize("kind", STAGES)
def test_every_stage_takes_what_the_one_before_it_made(load_kind, kind):
    experiment = load_kind(kind)
    for role, stages in zip(("input", "target"), STAGES[kind], strict=True):
        for before, stage in itertools.pairwise(stages):
            assert experiment.before(stage, role) == before
            expected = f"results/{{experiment}}/{{channel}}/{before}/{role}/{{batch}}"
            if before in ("cut", "resampled"):
                # of the input alone
                expected = expected.replace(f"/{role}/", "/")
            assert Layout.before(stage, experiment, role) == expected
        with pytest.raises(KeyError):
            experiment.before("imported", role)


@pytest.mark.parametrize(
    ("kind", "folder"), [("beads", "truth"), ("scans", "placed_truth"), ("sheet", None)]
)
def test_noiseless_images_are_where_the_kind_of_acquisition_puts_them(load_kind, kind, folder):
    expected = folder and f"results/{{experiment}}/{{channel}}/{folder}/{{batch}}"
    assert Layout.noiseless(load_kind(kind)) == expected


def patterns():
    """Every path of the layout, those within dictionaries included."""
    for name, value in vars(Layout).items():
        if name.startswith("__"):
            continue
        if isinstance(value, dict):
            yield from value.items()
        elif isinstance(value, str):
            yield name, value


def test_every_path_lies_under_results_and_has_known_wildcards():
    found = dict(patterns())
    assert len(found) > 20
    for name, pattern in found.items():
        assert pattern.startswith("results/"), name
        assert set(re.findall(r"{(\w+)}", pattern)) <= WILDCARDS, name


def test_no_two_paths_are_the_same_or_within_each_other():
    # what a job writes as a folder, Snakemake empties before it runs
    paths = [path for name, path in patterns() if name != "channel" and "{table}" not in path]
    assert len(set(paths)) == len(paths)
    for one, other in itertools.permutations(paths, 2):
        assert not other.startswith(f"{one}/")


def test_wildcards_are_filled_in_and_others_stay():
    path = Layout.fill(Layout.model, network="gan", seed=3)
    assert path == "results/{experiment}/{channel}/models/gan/seed_3/model.safetensors"
    assert Layout.fill(Layout.claims, batch="test_000") == "results/claims.csv"


def test_a_path_in_a_channel_of_an_experiment(load_kind):
    path = Layout.in_channel(Layout.restored_batch, load_kind("beads"), "beads")
    assert path == "results/beads/beads/restored_batches/{restoration}/{batch}"


@pytest.mark.parametrize("seeds", [(0,), (3, 5, 7)])
def test_models_behind_a_restoration_are_those_of_its_seeds(seeds):
    paths = Layout.models(Restoration("any", "any", None, "gan", seeds))
    assert paths == [Layout.fill(Layout.model, network="gan", seed=seed) for seed in seeds]


def test_no_model_is_behind_a_classical_method():
    assert Layout.models(Restoration("nnls", "nnls")) == []


def test_the_paths_that_others_rely_on_are_as_documented():
    channel = "results/{experiment}/{channel}"
    assert Layout.stages["registered"] == f"{channel}/registered/{{batch}}"
    assert Layout.model == f"{channel}/models/{{network}}/seed_{{seed}}/model.safetensors"
    assert Layout.history == f"{channel}/models/{{network}}/seed_{{seed}}/history.csv"
    assert Layout.package == f"{channel}/models/{{network}}/seed_{{seed}}/model.bioimageio.zip"
    assert Layout.restored == f"{channel}/restored/{{restoration}}"
    assert Layout.table == f"{channel}/{{table}}.csv"
    assert Layout.claims == "results/claims.csv"
