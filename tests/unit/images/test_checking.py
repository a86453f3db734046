import numpy as np
import pytest

from crossres.images import (
    Image,
    agreed_pixel_size,
    agreed_z_step,
    require_signal,
    to_dims,
    to_plain_type,
)
from crossres.jobs import InputError

PLANE = np.arange(20, dtype=np.uint16).reshape(4, 5)


@pytest.mark.parametrize(
    ("array", "axes"),
    [(PLANE, "YX"), (PLANE[None], "CYX"), (PLANE[None, None, :, None], "TZYCX"), (PLANE.T, "XY"),
     (PLANE.T[:, None], "XCY")],
)  # fmt: skip
def test_axes_of_length_one_are_dropped(array, axes):
    plane = to_dims(Image(array, axes, 30.0, 100.0), 2, "a.tif")
    assert (plane.axes, plane.pixel_size_nm, plane.z_step_nm) == ("YX", 30.0, None)
    np.testing.assert_array_equal(plane.array, PLANE)


@pytest.mark.parametrize(
    ("shape", "axes", "dims", "kept"),
    [((7, 4, 5), "TYX", 2, "TYX"), ((7, 1, 4, 5), "TZYX", 2, "TYX"), ((3, 4, 5), "ZYX", 3, "ZYX"),
     ((1, 3, 4, 5), "CZYX", 3, "ZYX"), ((2, 3, 4, 5), "TZYX", 3, "TZYX"),
     ((3, 2, 4, 5), "ZTYX", 3, "TZYX"), ((1, 3, 1, 4, 5), "TZCYX", 3, "ZYX")],
)  # fmt: skip
def test_frames_pass_through_and_volumes_keep_their_slices(rng, shape, axes, dims, kept):
    array = np.arange(np.prod(shape)).reshape(shape)
    found = to_dims(Image(array, axes, 30.0, 100.0, frame_interval_s=2.0), dims, "a.tif")
    assert found.axes == kept
    assert found.z_step_nm == (100.0 if "Z" in kept else None)
    assert found.frame_interval_s == (2.0 if "T" in kept else None)
    # every pixel where its own numbers along the axes say
    for place in rng.integers(0, shape, (20, len(shape))):
        place = dict(zip(axes, place, strict=True))
        expected = array[tuple(place[a] for a in axes)]
        assert found.array[tuple(place[a] for a in kept)] == expected


@pytest.mark.parametrize(
    ("shape", "axes", "dims", "words"),
    [
        ((2, 4, 5), "CYX", 2, r"stack\.tif: has 2 channels \(C=2\).*save each channel"),
        ((2, 3, 4, 5), "CZYX", 3, r"stack\.tif: has 2 channels \(C=2\).*save each channel"),
        ((1, 3, 4, 5), "CZYX", 2, r"volume of 3 slices \(Z=3\).*dims: 2.*set dims: 3"),
        ((7, 3, 4, 5), "TZYX", 2, r"volume of 3 slices \(Z=3\).*dims: 2.*set dims: 3"),
        ((4, 5), "YX", 3, "is a single plane.*dims: 3.*set dims: 2"),
        ((1, 4, 5), "ZYX", 3, "is a single plane.*dims: 3.*set dims: 2"),
        ((7, 4, 5), "TYX", 3, r"time series of 7 frames \(T=7\) without slices.*axis Z named"),
    ],
)
def test_a_colour_a_slice_or_a_frame_is_not_taken_for_another(shape, axes, dims, words):
    with pytest.raises(InputError, match=words):
        to_dims(Image(np.zeros(shape), axes), dims, "stack.tif")


@pytest.mark.parametrize("dims", [2, 3])
def test_image_without_y_or_x_is_refused(dims):
    with pytest.raises(InputError, match=r"line\.tif.*TX"):
        to_dims(Image(np.zeros((3, 4)), "TX"), dims, "line.tif")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_an_image_with_two_values_passes(dtype):
    require_signal(PLANE.astype(dtype), "a.tif")


def test_a_volume_may_have_slices_without_signal():
    require_signal(np.stack([np.zeros_like(PLANE), PLANE]), "a.tif")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nan_and_inf_are_refused_and_counted(value, dtype):
    array = PLANE.astype(dtype)
    array[1, 2] = array[3, 4] = value
    with pytest.raises(InputError, match=r"a\.tif: holds 2 NaN or Inf"):
        require_signal(array, "a.tif")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_constant_image_is_refused(dtype):
    with pytest.raises(InputError, match=r"a\.tif: is constant \(7.*detector"):
        require_signal(np.full((4, 5), 7, dtype), "a.tif")


def test_an_empty_image_is_refused():
    with pytest.raises(InputError, match=r"a\.tif: is constant \(empty"):
        require_signal(np.empty((0, 5)), "a.tif")


@pytest.mark.parametrize("dtype", [bool, complex])
def test_what_is_no_number_of_counts_is_refused(dtype):
    with pytest.raises(InputError, match=r"a\.tif: holds .*expected integers or floats"):
        require_signal(PLANE.astype(dtype), "a.tif")


def test_one_statement_of_the_pixel_size_is_enough():
    assert agreed_pixel_size({"the file": None, "the sheet": 30.0}, "a.tif") == 30.0


def test_statements_within_one_percent_agree_and_the_first_counts():
    assert agreed_pixel_size({"the file": 30.0, "the sheet": 30.29}, "a.tif") == 30.0


@pytest.mark.parametrize("other", [30.31, 29.69, 15.0, 60.0])
def test_contradicting_pixel_sizes_are_refused_with_both_named(other):
    stated = {"the file": 30.0, "the sheet (line 4)": None, "the experiment": other}
    with pytest.raises(InputError) as fault:
        agreed_pixel_size(stated, "a.tif")
    message = str(fault.value)
    for word in ("a.tif", "the file says 30 nm", f"the experiment says {other:g} nm", "correct"):
        assert word in message


def test_no_pixel_size_at_all_is_refused_with_the_column_to_add():
    with pytest.raises(InputError, match=r"a\.tif: has no pixel size.*input_pixel_size_nm"):
        agreed_pixel_size({"the file": None, "the sheet": None}, "a.tif")


def test_z_steps_are_agreed_on_likewise():
    assert agreed_z_step({"the file": 160.0, "the sheet": 161.0}, "a.tif") == 160.0
    with pytest.raises(
        InputError, match=r"a\.tif: the file says 160 nm a slice, the sheet says 170"
    ):
        agreed_z_step({"the file": 160.0, "the sheet": 170.0}, "a.tif")
    with pytest.raises(InputError, match=r"a\.tif: has no z step.*input_z_step_nm or target_z_ste"):
        agreed_z_step({"the file": None}, "a.tif")


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        (np.array([1, 2], np.float16), np.float32),
        (np.array([-1, 70000], np.int64), np.int32),
        (np.array([0, 2**31], np.int64), np.uint32),
        (np.array([0, 2**32 - 1], np.uint64), np.uint32),
        (np.array([0, 5], np.uint16), np.uint16),
        (np.array([0, 5], np.float64), np.float64),
    ],
)
def test_types_that_ome_tiff_lacks_become_others(given, dtype):
    found = to_plain_type(given, "a.tif")
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, given)


@pytest.mark.parametrize("given", [np.array([0, 2**32], np.uint64), np.array([-1, 2**31])])
def test_counts_beyond_32_bits_are_refused(given):
    with pytest.raises(InputError, match=r"a.tif: holds u?int64 values from -?\d to \d+; expected"):
        to_plain_type(given, "a.tif")


def test_values_beyond_single_precision_are_refused():
    with pytest.raises(InputError, match=r"values up to 1e\+300, beyond single precision"):
        require_signal(np.array([[0, -1e300]]), "a.tif")


@pytest.mark.parametrize("size_nm", [30_000.0, 0.03])
def test_a_pixel_size_that_no_microscope_has_is_refused(size_nm):
    with pytest.raises(InputError, match=r"the file says .* nm a pixel; expected 0.1 to 20000 nm"):
        agreed_pixel_size({"the file": size_nm}, "a.tif")
