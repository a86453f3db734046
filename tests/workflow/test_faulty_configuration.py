"""What a user can get wrong in YAML files and sheets: each is one sentence that names the place."""

import pytest
from tiny_experiments import (
    of_sheet,
    read_sheet_rows,
    simulated,
    write_experiment,
    write_pairs,
    write_sheet,
)
from workflow_runs import plan, refuse

SPLITS = ["train", "train", "validation", "test"]


def without(settings, *keys):
    *parents, last = keys
    place = settings
    for key in parents:
        place = place[key]
    del place[last]
    return settings


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        ({"colour": "red"}, ["configuration: colour: unknown key", "scale"]),
        ({"scael": "demo"}, ["scael: unknown key (did you mean scale?"]),
        ({"scale": "large"}, ["scale is 'large'; it can be demo, paper"]),
        ({"device": "tpu"}, ["device is 'tpu'; it can be auto, cpu, cuda"]),
        ({"fields_per_job": 0}, ["fields_per_job", "0"]),
        ({"experiments": []}, ["experiments"]),
        ({"networks": {}}, ["configuration: networks: unknown key here", "an experiment's file"]),
        (
            {"experiments": ["confocal_sted_bead"]},
            ["'confocal_sted_bead'", "did you mean confocal_sted_beads?"],
        ),
        ({"experiments": ["nowhere/mine.yaml"]}, ["'nowhere/mine.yaml' is neither a file nor"]),
        (
            {"experiments": ["mine.yaml", "./mine.yaml"]},
            ["two experiments are called 'mine'"],
        ),
    ],
)
def test_a_wrong_configuration_is_refused(workspace, configuration, words):
    write_experiment(workspace, simulated(), "mine", **configuration)
    text = refuse(workspace, "--dry-run")
    for word in words:
        assert word in text


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (simulated(registraton={}), ["registraton: unknown key (did you mean registration?"]),
        (
            simulated(source__simulator__sample__densty=1),
            ["source.simulator.sample.densty: unknown key (", "density_per_um2"],
        ),
        (
            simulated(networks__rcnn={"iterations": 1}),
            ["networks.rcnn: unknown network (did you mean cnn?"],
        ),
        (
            simulated(networks__cnn__learning_rat=1),
            ["networks.cnn.learning_rat: unknown key (did you mean learning_rate?"],
        ),
        (simulated(networks__cnn__iterations="many"), ["networks.cnn.iterations", "'many'"]),
        (simulated(networks__cnn__depth=10**6), ["networks.cnn.depth is 1000000; ", "at most 8"]),
        (
            simulated(networks__gan__adversarial__shares={"mse": 0.6, "log_ssim": 0.4}),
            ["networks.gan.adversarial.shares sum to 1"],
        ),
        (simulated(networks__gan__crop_px=33), ["networks.gan.crop_px is 33"]),
        (simulated(networks__cnn__adversarial={}), ["networks.cnn.adversarial does not belong"]),
        (without(simulated(), "title"), ["title is missing"]),
        (
            simulated(
                source__simulator__acquisition__fields={"train": 2, "validation": 0, "test": 2}
            ),
            ["source.simulator.acquisition.fields.validation is 0"],
        ),
        (
            simulated(patches__size_px=120),
            ["patches.size_px is 120", "a field of 128 px has 108 px left"],
        ),
        (
            simulated(source__sheet="pairs.tsv"),
            ["source needs one of", "has simulator and sheet"],
        ),
        (simulated(modalities__input__na=1.6), ["modalities.input.na is 1.6"]),
        (
            without(simulated(), "modalities", "target", "camera"),
            ["modalities.target.camera is m"],
        ),
        (simulated(patches__percentiles=[99, 2]), ["patches.percentiles are 99 and 2"]),
        (simulated(measure__spots__crop_px=16), ["measure.spots.crop_px"]),
    ],
)
def test_a_wrong_experiment_is_refused(workspace, settings, words):
    write_experiment(workspace, settings, "mine")
    text = refuse(workspace, "--dry-run")
    for word in ["mine.yaml: ", *words]:
        assert word in text


def test_an_experiment_that_is_no_yaml_is_refused(workspace):
    write_experiment(workspace, simulated(), "mine")
    (workspace / "mine.yaml").write_text("title: [unclosed\n")
    assert "mine.yaml, line 2: is not valid YAML" in refuse(workspace, "--dry-run")


def duplicate_row(rows):
    return [*rows, rows[1]]


def other_row_of_one_image(rows):
    return [*rows, rows[1] | {"field": "f9"}]


def cell_of_two_lines(rows):
    return [*rows[:2], rows[2] | {"split": "train\nf9"}, *rows[3:]]


def without_target(rows):
    return [rows[0] | {"target": ""}, *rows[1:]]


def unknown_split(rows):
    return [rows[0] | {"split": "training"}, *rows[1:]]


def unknown_column(rows):
    return [row | {"exposure": "1"} for row in rows]


def missing_column(rows):
    return [{key: row[key] for key in row if key != "channel"} for row in rows]


def no_test_field(rows):
    return [row | {"split": row["split"].replace("test", "train")} for row in rows]


def name_with_a_slash(rows):
    return [rows[0] | {"field": "a/b"}, *rows[1:]]


def group_in_two_splits(rows):
    return [row | {"group": "slide"} for row in rows]


def words_for_a_pixel_size(rows):
    return [row | {"input_pixel_size_nm": "30 nm"} for row in rows]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (duplicate_row, ["pairs.tsv, line 6: field 'f1' of channel 'beads' stands in line 3"]),
        (other_row_of_one_image, ["pairs.tsv, line 6: input data/f1_input.tif stands in line 3"]),
        (cell_of_two_lines, ["pairs.tsv, line 4: split goes on over several lines; a quotation"]),
        (without_target, ["pairs.tsv, line 2: target is empty"]),
        (unknown_split, ["pairs.tsv, line 2: split is 'training'; it can be train, validation"]),
        (unknown_column, ["pairs.tsv: unknown column 'exposure'"]),
        (missing_column, ["pairs.tsv: has no column 'channel'"]),
        (no_test_field, ["mine: the test split of channel 'beads' is empty"]),
        (name_with_a_slash, ["pairs.tsv, line 2: field is 'a/b'; expected letters, digits"]),
        (group_in_two_splits, ["pairs.tsv, line 4: group 'slide' is in the train split above"]),
        (words_for_a_pixel_size, ["pairs.tsv, line 2: input_pixel_size_nm is '30 nm'"]),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_wrong_sheet_is_refused(workspace, spoil, words):
    write_pairs(workspace, SPLITS)
    write_sheet(workspace / "pairs.tsv", spoil(read_sheet_rows(workspace / "pairs.tsv")))
    write_experiment(workspace, of_sheet(), "mine")
    text = refuse(workspace, "--dry-run")
    for word in words:
        assert word in text


def test_lines_are_counted_as_an_editor_counts_them(workspace):
    write_pairs(workspace, SPLITS)
    lines = (workspace / "pairs.tsv").read_text().splitlines()
    lines[4] = lines[4].replace("f3_input.tif", "gone.tif")
    (workspace / "pairs.tsv").write_text("\n".join([*lines[:3], "", *lines[3:]]) + "\n\n")
    write_experiment(workspace, of_sheet(), "mine")
    text = refuse(workspace, "--dry-run")
    assert "pairs.tsv, line 4: is empty" in text or "pairs.tsv, line 6: input data/gone.tif" in text


def test_a_sheet_without_rows_is_refused(workspace):
    write_pairs(workspace, SPLITS)
    header = (workspace / "pairs.tsv").read_text().splitlines()[0]
    (workspace / "pairs.tsv").write_text(header + "\n")
    write_experiment(workspace, of_sheet(), "mine")
    assert "pairs.tsv: has no rows" in refuse(workspace, "--dry-run")


def test_a_sheet_in_another_encoding_is_refused(workspace):
    write_pairs(workspace, SPLITS)
    text = (workspace / "pairs.tsv").read_text()
    (workspace / "pairs.tsv").write_text(text, encoding="utf-16")
    write_experiment(workspace, of_sheet(), "mine")
    assert "pairs.tsv: is no text in UTF-8" in refuse(workspace, "--dry-run")


def test_a_sheet_that_is_not_there_is_refused(workspace):
    write_experiment(workspace, of_sheet(source__data_root="."), "mine")
    assert "source.sheet: pairs.tsv does not exist" in refuse(workspace, "--dry-run")


def test_a_folder_of_images_that_is_not_there_is_refused(workspace):
    write_pairs(workspace, SPLITS)
    write_experiment(workspace, of_sheet(source__data_root="elsewhere/images"), "mine")
    text = refuse(workspace, "--dry-run")
    assert "source.data_root: the folder elsewhere/images does not exist" in text


def test_the_unspoilt_sheet_and_experiment_are_planned(workspace):
    write_pairs(workspace, SPLITS)
    write_experiment(workspace, of_sheet(), "mine")
    assert plan(workspace)
