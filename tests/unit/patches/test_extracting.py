"""Patches of the training fields, and whole validation fields."""

import tracemalloc
from functools import partial

import numpy as np
import pandas as pd
import pytest
from extracted import PIXEL_NM, RAW_NM, pair, settings, write_fields
from safetensors.numpy import load_file

from crossres.jobs import InputError
from crossres.patches import load_patches
from crossres.preprocess import Constants, PixelQuantiles, RoleConstants
from crossres.settings import Preprocess
from extract_patches import extract_patches

PAIRS = {
    "train": {"a": pair(100, 0), "b": pair(100, 1, (40, 56))},
    "validation": {"c": pair(100, 2, (30, 44)), "d": pair(100, 3)},
}


@pytest.fixture
def extract(tmp_path):
    """Return a function from pairs, settings and rejected fields to the three outputs."""

    def extracted(pairs=PAIRS, rejected=(), others=None, **chosen):
        job = write_fields(tmp_path / "fields", pairs, rejected) | (others or {})
        extract_patches(**job, settings=settings(**chosen))
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
        assert (found.input_pixel_size_nm, found.pixel_size_nm) == (RAW_NM, PIXEL_NM)
        assert found.z_step_nm is None
    constants = Constants(
        input=RoleConstants(pixel_size_nm=RAW_NM, z_step_nm=300.0, background=99.5),
        target=RoleConstants(pixel_size_nm=PIXEL_NM, z_step_nm=150.0, background=7.0),
    )
    preprocess = Preprocess(interpolation_order=3)
    for found in extract(others={"constants": constants, "preprocess": preprocess})[:2]:
        assert (found.background, found.interpolation_order) == (99.5, 3)
        assert found.z_step_nm == 150.0


VOLUMES = {
    "train": {"a": pair(100, 0, (6, 40, 44)), "b": pair(100, 1, (9, 48, 40))},
    "validation": {"c": pair(100, 2, (5, 30, 44))},
}


@pytest.mark.parametrize(("slices", "expected"), [(None, 6), (4, 4)])
def test_volumes_give_patches_of_some_slices(extract, slices, expected):
    train, validation, positions = extract(VOLUMES, slices=slices)
    assert train.inputs.shape == train.targets.shape == (8, expected, 16, 16)
    assert list(positions.columns) == ["split", "field", "z_px", "y_px", "x_px"]
    for patch, row in zip(train.targets, positions.itertuples(), strict=True):
        volume = VOLUMES["train"][row.field][1]
        z, y, x = row.z_px, row.y_px, row.x_px
        cut = volume[z : z + expected, y : y + 16, x : x + 16]
        found = train.scales["target"].invert(patch)
        np.testing.assert_allclose(found, cut, rtol=1e-5, atol=1e-3)
    assert [field.shape for field in validation.inputs] == [(5, 30, 44)]


def test_networks_read_patches_by_library_and_by_map_alike(extract, tmp_path):
    train, validation, _ = extract()
    stored = load_file(tmp_path / "fields" / "train.out")
    np.testing.assert_array_equal(train.inputs, stored["input"])
    np.testing.assert_array_equal(train.targets, stored["target"])
    stored = load_file(tmp_path / "fields" / "validation.out")
    np.testing.assert_array_equal(validation.inputs[1], stored["input.00001"])


def test_values_are_those_of_all_fields_at_once(extract):
    """Streaming changes no bit: numpy's percentiles of the whole, patches cut of whole fields."""
    train, _, positions = extract()
    for place, found in enumerate((train.inputs, train.targets)):
        pixels = np.concatenate([images[place].ravel() for images in PAIRS["train"].values()])
        low, high = np.percentile(pixels, [2.0, 99.9])
        expected = [
            ((PAIRS["train"][row.field][place] - float(low)) / float(high - low)).astype("f4")[
                row.y_px : row.y_px + 16, row.x_px : row.x_px + 16
            ]
            for row in positions.itertuples()
        ]
        np.testing.assert_array_equal(found, expected)


def test_memory_does_not_grow_with_the_number_of_fields(tmp_path, monkeypatch):
    # percentiles are exact, and hold all pixels, up to a number beyond which they are streamed
    monkeypatch.setattr(
        "crossres.patches.cutting.PixelQuantiles", partial(PixelQuantiles, exact_px=1000)
    )
    field = pair(100, 0, (96, 96))
    peaks = []
    for count in (4, 24):
        pairs = {split: {f"{split}{n}": field for n in range(count)} for split in PAIRS}
        job = write_fields(tmp_path / str(count), pairs)
        tracemalloc.start()
        extract_patches(**job, settings=settings(size_px=32, per_field=20))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(load_patches(job["outputs"]["train"]).inputs) == 20 * count
    # 20 more fields of each split, and 400 more patches, would be 6 MB
    assert peaks[1] - peaks[0] < 1e6


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
        (VOLUMES, {"slices": 7}, ["patches.slices is 7", "field a", "6 slices"]),
        (PAIRS, {"slices": 4}, ["patches.slices is 4", "field a is an image"]),
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
