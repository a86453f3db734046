"""Patches of the training fields, and whole validation fields."""

import numpy as np
import pandas as pd
import pytest
from extracted import PREPROCESS, RAW_NM, SETTINGS, pair, write_fields

from crossres.jobs import InputError
from crossres.patches import load_patches
from extract_patches import extract_patches

PAIRS = {
    "train": {"a": pair(100, 0), "b": pair(100, 1, (40, 56))},
    "validation": {"c": pair(100, 2, (30, 44)), "d": pair(100, 3)},
}


@pytest.fixture
def extract(tmp_path):
    """Return a function from pairs, settings and rejected fields to the three outputs."""

    def extracted(pairs=PAIRS, rejected=(), preprocess=PREPROCESS, **settings):
        job = write_fields(tmp_path / "fields", pairs, rejected) | {"preprocess": preprocess}
        extract_patches(**job, settings={**SETTINGS, **settings})
        train, validation = (load_patches(job["outputs"][s]) for s in ("train", "validation"))
        return train, validation, pd.read_csv(job["outputs"]["positions"])

    return extracted


def dark(shape=(48, 48)):
    """A pair whose target shows next to nothing: a bright pixel in a hundred."""
    images = pair(100, 5, shape)
    images[1] = 50
    images[1, ::10, ::10] = 1000
    return images


def test_patches_are_cut_where_the_table_says(extract):
    train, _, positions = extract()
    assert len(positions) == len(train.inputs) == len(train.targets) == 8
    for images, place in ((train.inputs, 0), (train.targets, 1)):
        scale = train.scales[("input", "target")[place]]
        for patch, row in zip(images, positions.itertuples(), strict=True):
            field = PAIRS["train"][row.field][place]
            cut = field[row.y_px : row.y_px + 16, row.x_px : row.x_px + 16]
            np.testing.assert_allclose(scale.invert(patch), cut, rtol=1e-5, atol=1e-3)


def test_validation_fields_stay_whole(extract):
    _, validation, positions = extract()
    assert [field.shape for field in validation.inputs] == [(30, 44), (48, 48)]
    for name, field in zip("cd", validation.targets, strict=True):
        wanted = PAIRS["validation"][name][1]
        np.testing.assert_allclose(
            validation.scales["target"].invert(field), wanted, rtol=1e-5, atol=1e-3
        )
    # and nothing is cut of them
    assert set(positions.split) == {"train"}
    assert set(positions.field) == {"a", "b"}


def test_what_was_done_to_the_raw_inputs_is_kept_with_the_patches(extract):
    for found in extract()[:2]:
        assert (found.background, found.interpolation_order) == (None, 1)
        assert found.input_pixel_size_nm == pytest.approx(RAW_NM)
    region = {"method": "region", "region_px": 4, "region": {"field": "a", "y_px": 9, "x_px": 9}}
    found, _, _ = extract(preprocess={"background": region, "interpolation_order": 3})
    assert 200 < found.background < 300
    assert found.interpolation_order == 3
    find = {"method": "find", "region_px": 8}
    found, _, _ = extract(preprocess={**PREPROCESS, "background": find})
    assert found.background == pytest.approx(120)


def test_rejected_pairs_are_left_out(extract):
    train, validation, positions = extract(rejected=("a", "d"))
    assert set(positions.field) == {"b"}
    assert len(train.inputs) == 4
    assert [field.shape for field in validation.inputs] == [(30, 44)]


def test_a_field_that_shows_nothing_gives_no_patch(extract):
    pairs = {**PAIRS, "train": {**PAIRS["train"], "empty": dark()}}
    # the bright pixels stretch the common scale
    _, _, positions = extract(pairs, foreground_level=0.1, foreground_fraction=0.5)
    assert set(positions.field) == {"a", "b"}


def test_a_validation_field_that_shows_nothing_is_judged_all_the_same(extract):
    pairs = {**PAIRS, "validation": {"empty": dark()}}
    _, validation, _ = extract(pairs, foreground_level=0.25, foreground_fraction=0.5)
    assert len(validation.inputs) == 1


def test_the_seed_of_the_positions_is_a_setting(extract):
    first, again, other = (extract(seed=seed)[2] for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


@pytest.mark.parametrize(
    ("pairs", "settings", "words"),
    [
        ({**PAIRS, "train": {"empty": dark()}},
         {"foreground_level": 0.25, "foreground_fraction": 0.5},
         ["no train patch shows anything", "patches.foreground_fraction"]),
        (PAIRS, {"size_px": 41}, ["patches.size_px is 41", "field b", "(40, 56)"]),
        ({**PAIRS, "train": {"flat": np.ones((2, 48, 48), dtype=np.float32)}}, {},
         ["patches.percentiles", "widen them"]),
    ],
)  # fmt: skip
def test_what_cannot_be_cut_is_one_sentence(extract, pairs, settings, words):
    with pytest.raises(InputError) as fault:
        extract(pairs, **settings)
    for word in words:
        assert word in str(fault.value)


@pytest.mark.parametrize(("split", "rejected"), [("train", "ab"), ("validation", "cd")])
def test_a_split_of_rejected_pairs_is_one_sentence(extract, split, rejected):
    with pytest.raises(InputError, match=f"accepted no {split} pair"):
        extract(rejected=tuple(rejected))
