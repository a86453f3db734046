import numpy as np
import pytest

from crossres.images import Image, agreed_pixel_size, as_plane, require_signal
from crossres.jobs import InputError

PLANE = np.arange(20, dtype=np.uint16).reshape(4, 5)


@pytest.mark.parametrize(
    ("array", "axes"),
    [(PLANE, "YX"), (PLANE[None], "CYX"), (PLANE[None, None, :, None], "TZYCX"), (PLANE.T, "XY"),
     (PLANE.T[:, None], "XCY")],
)  # fmt: skip
def test_axes_of_length_one_are_dropped(array, axes):
    plane = as_plane(Image(array, axes, 30.0), "a.tif")
    assert (plane.axes, plane.pixel_size_nm) == ("YX", 30.0)
    np.testing.assert_array_equal(plane.array, PLANE)


@pytest.mark.parametrize(("shape", "axes", "found"), [((2, 4, 5), "CYX", "C=2"),
                                                      ((1, 3, 4, 5), "CZYX", "Z=3"),
                                                      ((7, 4, 5), "TYX", "T=7")])  # fmt: skip
def test_more_than_one_plane_is_refused(shape, axes, found):
    with pytest.raises(InputError) as fault:
        as_plane(Image(np.zeros(shape), axes), "stack.tif")
    assert "stack.tif" in str(fault.value)
    assert found in str(fault.value)
    assert "slice" in str(fault.value)


def test_image_without_y_or_x_is_refused():
    with pytest.raises(InputError, match=r"line\.tif.*TX"):
        as_plane(Image(np.zeros((3, 4)), "TX"), "line.tif")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_an_image_with_two_values_passes(dtype):
    require_signal(PLANE.astype(dtype), "a.tif")


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
