"""What register_fields.py writes: pairs, what moved them, and the table."""

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter, shift

from crossres.images import Image, read_image, write_image
from crossres.jobs import InputError
from crossres.settings import Registration
from register_fields import register_fields

PIXEL_NM, Z_STEP_NM = 30.0, 120.0
MOVE = {"YX": (2.0, -3.0), "ZYX": (0.6, 2.0, -3.0)}
SHAPE = {"YX": (96, 88), "ZYX": (10, 96, 88)}


def image_of(axes, moved=False, size=None):
    shape = size or SHAPE[axes]
    spots = np.random.default_rng(3).random(shape) ** 40
    structure = gaussian_filter(spots, 1.5)
    array = shift(structure, MOVE[axes], order=3, mode="nearest") if moved else structure
    counts = (100 + 900 * array / structure.max()).astype(np.float32)
    return Image(counts, axes, PIXEL_NM, Z_STEP_NM if "Z" in axes else None)


@pytest.fixture
def register(tmp_path):
    """Return a function from an input, a target and settings to the folder of what is written."""

    def registered(fixed, free, **settings):
        write_image(tmp_path / "inputs" / "a.ome.tif", fixed)
        write_image(tmp_path / "targets" / "a.ome.tif", free)
        register_fields(
            tmp_path / "inputs",
            tmp_path / "targets",
            within=None,
            cut=None,
            fields={"a": None},
            settings=Registration(crop_px=10, **settings),
            folder=tmp_path / "fields",
            displacements=tmp_path / "displacements",
            table=tmp_path / "table.csv",
        )
        return tmp_path

    return registered


@pytest.mark.parametrize("axes", ["YX", "ZYX"])
def test_a_pair_is_written_as_it_was_moved(register, axes):
    folder = register(image_of(axes), image_of(axes, moved=True), method="affine")
    pair = read_image(folder / "fields" / "a.ome.tif")
    # all slices are kept, ten pixels cut on every side
    shape = (*SHAPE[axes][:-2], 76, 68)
    assert (pair.axes, pair.array.shape) == (f"C{axes}", (2, *shape))
    assert (pair.channels, pair.corner_px) == (("input", "target"), (10, 10))
    assert (pair.pixel_size_nm, pair.z_step_nm) == (PIXEL_NM, Z_STEP_NM if "Z" in axes else None)
    inner = np.s_[..., 10:-10, 10:-10]
    np.testing.assert_array_equal(pair.channel("input"), image_of(axes).array[inner])
    both = (pair.channel(role).ravel() for role in ("input", "target"))
    assert np.corrcoef(*both)[0, 1] > 0.97
    (row,) = pd.read_csv(folder / "table.csv").to_dict("records")
    assert row["accepted"]
    found = [row[f"shift_{axis.lower()}_px"] for axis in axes]
    np.testing.assert_allclose(found, np.negative(MOVE[axes]), atol=0.1)


@pytest.mark.parametrize("axes", ["YX", "ZYX"])
def test_what_moved_a_pair_is_written_in_squares_of_eight_pixels(register, axes):
    folder = register(image_of(axes), image_of(axes, moved=True), method="shift")
    moved = read_image(folder / "displacements" / "a.ome.tif")
    assert moved.array.shape == (2 * len(axes), *SHAPE[axes][:-2], 9, 8)
    assert moved.pixel_size_nm == 8 * PIXEL_NM
    for axis, move in zip(axes.lower(), MOVE[axes], strict=True):
        for name in (f"displacement_{axis}", f"correction_{axis}"):
            np.testing.assert_allclose(moved.channel(name), -move, atol=0.1)


@pytest.mark.parametrize(
    ("axes", "grid", "said"),
    [
        (
            "YX",
            {"pixel_size_nm": 37.5},
            "37.5 nm a pixel, the first training target 30 nm",
        ),
        (
            "ZYX",
            {"z_step_nm": 150.0},
            "150 nm a slice, the first training target 120 nm",
        ),
    ],
)
def test_a_target_of_another_grid_is_left_out_with_both_sizes(register, axes, grid, said):
    folder = register(image_of(axes), image_of(axes, moved=True).like(image_of(axes).array, **grid))
    (row,) = pd.read_csv(folder / "table.csv").to_dict("records")
    assert not row["accepted"]
    assert row["reason"].startswith(f"the target has {said}")
    assert row["reason"].endswith("correct the wrong one")


def test_sizes_that_rounding_put_one_slice_apart_are_cropped_alike(register):
    pair = image_of("ZYX"), image_of("ZYX")
    longer = Image(pair[1].array[:9, :, :87], "ZYX", PIXEL_NM, Z_STEP_NM)
    folder = register(pair[0], longer, method="none")
    assert read_image(folder / "fields" / "a.ome.tif").array.shape == (2, 9, 76, 67)


@pytest.mark.parametrize(
    ("fixed", "free", "words"),
    [
        (Image(np.ones((3, 40, 40), np.float32), "TYX", PIXEL_NM), image_of("YX"),
         ["field a: the input has axes TYX", "each frame of a time series"]),
        (image_of("ZYX"), image_of("YX"), ["the target has axes YX and the input ZYX"]),
        (image_of("ZYX"), image_of("ZYX", size=(14, 96, 88)),
         ["(10, 96, 88)", "(14, 96, 88)", "pixel sizes and z steps"]),
        (image_of("YX", size=(20, 90)), image_of("YX", size=(20, 90)),
         ["registration.crop_px is 10", "20 x 90"]),
    ],
)  # fmt: skip
def test_what_is_no_pair_is_one_sentence(register, fixed, free, words):
    with pytest.raises(InputError) as fault:
        register(fixed, free, method="none")
    for word in words:
        assert word in str(fault.value)
