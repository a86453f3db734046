"""What the preparation of a batch depends on: contents, code and settings, not places."""

import json
import shutil
from pathlib import Path

import pytest
from scan_rows import HEADER, STITCH, scan_rows

from crossres.experiments import Preparation, preparation, provenance

SPLITS = ("train", "validation", "test")
ROWS = [f"f{n} c f{n}.tif f{n}_t.tif {s} ." for n, s in enumerate(("train", *SPLITS))]


@pytest.fixture(autouse=True)
def nothing_remembered():
    """Every plan looks at the files anew, as every start of Snakemake does."""
    forget()
    yield
    forget()


def forget():
    preparation.content_of.cache_clear()


@pytest.fixture
def plan(settings, load, write_sheet):
    """Load an experiment on a sheet's images, and return one batch's preparation."""

    def load_and_prepare(*rows, batch="train_000", make_files=True, **changes):
        forget()
        source = write_sheet(*(rows or ROWS), make_files=make_files)
        del source["split_fractions"]
        loaded = load({**settings, **changes, "source": {**source, **changes.get("source", {})}})
        return Preparation(loaded, "c", batch)

    return load_and_prepare


def hashes(prepared):
    """What the stages of both roles depend on that were passed through."""
    return {
        (stage, role): prepared.made_by(stage, role)
        for role in ("input", "target")
        for stage in prepared.experiment.stages(role)[1:]
    }


def test_importing_names_fields_and_contents_and_neither_places_nor_lines(plan, tmp_path):
    told = plan().importing("input")
    assert [field["name"] for field in told["fields"]] == ["f0", "f1"]
    assert len({field["content"] for field in told["fields"]}) == 2
    text = json.dumps(told)
    for word in (str(tmp_path), ".tif", "line", "row"):
        assert word not in text


def test_places_say_where_an_image_lies_and_who_says_so(plan, tmp_path):
    places = plan().places("target", "")
    assert places == {
        f"f{n}": {"path": str(tmp_path / f"f{n}_t.tif"), "where": f"line {n + 2}"} for n in (0, 1)
    }


def test_a_simulator_says_where_its_own_images_lie(settings, load):
    simulated = Preparation(load(settings, fields_per_job=1), "beads", "test_000")
    places = simulated.places("input", "results/raw")
    assert {one["path"] for one in places.values()} == {"results/raw/test_0000.tif"}
    assert simulated.importing("input")["fields"][0]["content"] is None


def test_settings_of_the_microscope_and_the_sheet_are_part_of_importing(plan, settings):
    settings["modalities"]["input"] |= {"pixel_size_nm": 31, "z_step_nm": 200}
    told = plan().importing("input")
    assert (told["pixel_size_nm"], told["z_step_nm"], told["dims"]) == (31, 200, 2)
    assert told["fields"][0]["pixel_size_nm"] is None


@pytest.mark.parametrize("stage", ["resampled", "registered"])
def test_an_exchanged_file_makes_other_images_of_its_role_alone(plan, tmp_path, stage):
    before = hashes(plan())
    (tmp_path / "f1.tif").write_text("another image")
    after = hashes(plan(make_files=False))
    assert before[stage, "input"] != after[stage, "input"]
    assert before["registered", "target"] == after["registered", "target"]


def test_a_file_of_another_batch_changes_nothing(plan, tmp_path):
    before = hashes(plan())
    (tmp_path / "f3.tif").write_text("another image")
    assert hashes(plan(make_files=False)) == before
    assert hashes(plan(make_files=False, batch="test_000"))


def test_files_that_moved_are_the_same(plan, tmp_path, write_sheet):
    here = plan()
    told, before = here.importing("input"), hashes(here)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for path in tmp_path.glob("*.tif"):
        shutil.move(path, elsewhere / path.name)
    there = plan(make_files=False, source={"data_root": str(elsewhere)})
    assert there.importing("input") == told
    assert hashes(there) == before
    assert Path(there.places("input", "")["f0"]["path"]).parent == elsewhere


@pytest.mark.parametrize(
    "changed",
    [ROWS[::-1], [ROWS[1], ROWS[0], *ROWS[2:]], [ROWS[3], *ROWS[:3]]],
    ids=["backward", "swapped", "the last first"],
)
@pytest.mark.parametrize("batch", ["train_000", "validation_000", "test_000"])
def test_rows_may_be_moved_about(plan, batch, changed):
    before, after = plan(batch=batch), plan(*changed, batch=batch)
    assert after.experiment.fields == before.experiment.fields
    for role in ("input", "target"):
        assert after.importing(role) == before.importing(role)
        assert after.places(role, "").keys() == before.places(role, "").keys()
    assert hashes(after) == hashes(before)


def test_an_empty_line_changes_nothing_but_the_lines_that_are_named(plan):
    before, after = plan(), plan("", *ROWS)
    assert after.importing("input") == before.importing("input")
    assert hashes(after) == hashes(before)
    assert after.places("input", "")["f0"]["where"] == "line 3"


def test_a_row_to_apply_to_is_a_batch_of_its_own(plan):
    applied = "a0 c a0.tif . apply ."
    before, after = plan(), plan(applied, *ROWS)
    assert after.experiment.batches("c", *SPLITS) == before.experiment.batches("c", *SPLITS)
    assert after.experiment.batches("c", "apply") == ["apply_000"]
    for batch in before.experiment.batches("c", *SPLITS):
        old, new = (Preparation(one.experiment, "c", batch) for one in (before, after))
        assert hashes(new) == hashes(old)
        assert new.importing("input") == old.importing("input")


@pytest.mark.parametrize(
    ("stage", "role", "script", "changes"),
    [
        ("resampled", "input", "import_images.py", True),
        ("registered", "target", "import_images.py", True),
        ("registered", "input", "resample_input.py", True),
        ("registered", "target", "resample_input.py", False),
        ("resampled", "input", "resample_input.py", False),
        ("resampled", "input", "register_fields.py", False),
    ],
)
def test_the_code_of_every_stage_passed_through_counts(
    plan, monkeypatch, stage, role, script, changes
):
    prepared = plan()
    before = prepared.made_by(stage, role)
    honest = provenance.code_hash
    monkeypatch.setattr(
        preparation, "code_hash", lambda name: honest(name) + ("edited" if name == script else "")
    )
    assert (prepared.made_by(stage, role) != before) == changes


def test_what_constants_depend_on_is_the_import_alone(plan):
    plain = plan()
    subtracted = plan(preprocess={"background": {"method": "find"}})
    for role in ("input", "target"):
        assert subtracted.imported_by(role) == plain.imported_by(role)
        assert subtracted.made_by("registered", role) != plain.made_by("registered", role)


def test_tiles_of_a_scan_are_what_is_imported(settings, load, write_sheet):
    rows = [row for split in SPLITS for row in scan_rows(split, split=split)]
    settings["source"] = {**write_sheet(*rows, header=HEADER), "stitch": STITCH}
    prepared = Preparation(load(settings), "c", "test_000")
    assert [tile.name for tile in prepared.images("target")] == ["test_r0c0", "test_r0c1"]
    assert len(prepared.importing("input")["fields"]) == 4
    assert prepared.importing("input")["fields"][0]["cut_index"] is None
