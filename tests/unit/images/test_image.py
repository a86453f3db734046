import numpy as np
import pytest

from crossres.images import Grid, Image


@pytest.mark.parametrize(
    ("shape", "axes"), [((4, 5), "CYX"), ((2, 4, 5), "YX"), ((4,), "YX"), ((1, 1, 4, 5), "ZYX")]
)
def test_axes_must_fit_the_array(shape, axes):
    with pytest.raises(ValueError, match=axes):
        Image(np.zeros(shape), axes)


@pytest.mark.parametrize(("axes", "shape"), [("CYX", (3, 4, 5)), ("ZCYX", (2, 3, 4, 5))])
def test_channel_is_taken_by_name_wherever_its_axis_lies(axes, shape):
    number = np.arange(3).reshape([3 if axis == "C" else 1 for axis in axes])
    image = Image(np.broadcast_to(number, shape), axes, channels=("dapi", "fitc", "texas red"))
    plane = image.channel("fitc")
    assert plane.shape == tuple(n for n, axis in zip(shape, axes, strict=True) if axis != "C")
    assert (plane == 1).all()


def test_unknown_channel_is_refused():
    with pytest.raises(ValueError):
        Image(np.zeros((1, 4, 5)), "CYX", channels=("dapi",)).channel("fitc")


def film():
    planes = {(t, c, 0): {"DeltaT": f"{t}.{c}"} for t in range(3) for c in range(2)}
    return Image(np.arange(3 * 2 * 20).reshape(3, 2, 4, 5), "TCYX", 30.0, None, ("a", "b"),
                 (3, 7), 2.0, ({"Fluor": "x"}, {}), planes)  # fmt: skip


def test_an_image_like_another_has_all_but_its_pixels():
    found = film().like(np.zeros((3, 2, 8, 9)), pixel_size_nm=15.0)
    assert found.array.shape == (3, 2, 8, 9)
    assert found.grid == Grid(15.0, None, (3, 7))
    assert found.metadata == film().like(film().array, pixel_size_nm=15.0).metadata
    assert found.like(found.array, pixel_size_nm=30.0).metadata == film().metadata


@pytest.mark.parametrize(
    ("shape", "axes", "channels", "planes"),
    [((3, 2, 4, 5), "TCYX", ("a", "b"), 6), ((2, 2, 4, 5), "TCYX", ("a", "b"), 0),
     ((3, 4, 5), "TYX", (), 0), ((3, 1, 4, 5), "TCYX", (), 0), ((2, 4, 5), "CYX", ("a", "b"), 0)],
)  # fmt: skip
def test_nothing_is_said_of_planes_and_channels_that_are_no_more(shape, axes, channels, planes):
    found = film().like(np.zeros(shape), axes=axes)
    assert (found.axes, found.channels) == (axes, channels)
    assert len(found.planes) == planes
    assert bool(found.channel_details) == bool(channels)


def test_pixels_of_another_number_of_axes_are_refused():
    with pytest.raises(ValueError, match="TCYX"):
        film().like(np.zeros((2, 4, 5)))


def test_some_channels_of_an_image_keep_their_pixels():
    found = film().of_channels([1])
    np.testing.assert_array_equal(found.array, film().array[:, 1:])
    assert found.metadata == film().metadata.of_channels([1])


def test_the_steps_of_a_grid():
    assert Grid(30.0).steps_nm(2) == (30.0, 30.0)
    assert Grid(30.0, 160.0).steps_nm(2) == (30.0, 30.0)
    assert Grid(30.0, 160.0).steps_nm(3) == (160.0, 30.0, 30.0)


@pytest.mark.parametrize(("grid", "dims"), [(Grid(), 2), (Grid(30.0), 3), (Grid(None, 160.0), 3)])
def test_steps_that_are_not_known_are_not_guessed(grid, dims):
    with pytest.raises(ValueError, match="pixel size"):
        grid.steps_nm(dims)
