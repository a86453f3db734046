import numpy as np
import pytest

from crossres.images import Metadata
from crossres.jobs import InputError
from crossres.networks import ModelFile
from crossres.preprocess import Scale
from crossres.restoration.stacks import (
    Frame,
    Stated,
    channels_wanted,
    frames_of,
    require_dimensions,
    steps_to_model,
    with_sizes,
)

SCALE = Scale(0.0, 1.0)


def model(pixel_size_nm=50.0, dims=2, z_step_nm=None):
    return ModelFile("care", {}, dims, SCALE, SCALE, pixel_size_nm, z_step_nm=z_step_nm)


def test_a_model_of_images_meets_every_plane_once():
    frames = frames_of((2, 3, 4, 9, 9), "TCZYX", 2, range(3))
    assert len(frames) == len(set(frames)) == 24
    assert all(there == here for there, here in frames)
    assert frames[-1][0] == (1, 2, 3)


def test_a_model_of_volumes_meets_every_volume_once():
    frames = frames_of((2, 3, 4, 9, 9), "TCZYX", 3, range(3))
    assert len(frames) == 6
    assert frames[-1][0] == (1, 2)


def test_chosen_channels_move_together():
    frames = frames_of((2, 3, 9, 9), "TCYX", 2, [2, 0])
    assert frames == [
        ((0, 2), (0, 0)), ((0, 0), (0, 1)), ((1, 2), (1, 0)), ((1, 0), (1, 1))
    ]  # fmt: skip


def test_an_image_is_one_frame():
    assert frames_of((9, 9), "YX", 2, [0]) == [((), ())]


def test_a_frame_reads_and_writes_its_part_of_the_stack(rng):
    stack = rng.random((2, 3, 8, 9))
    before = stack.copy()
    frame = Frame(stack, (1, 2))
    assert frame.shape == (8, 9)
    np.testing.assert_array_equal(frame[2:4, 1:5], before[1, 2, 2:4, 1:5])
    frame[0:1, 0:2] = 7
    assert (stack != before).sum() == 2
    assert (stack[1, 2, 0, :2] == 7).all()


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [((), [0, 1, 2]), (("GFP",), [1]), ((3, "DAPI"), [2, 0]), (("2",), [1])],
)
def test_channels_by_name_or_by_number_from_1(wanted, expected):
    metadata = Metadata("CYX", channels=("DAPI", "GFP", "Cy5"))
    assert channels_wanted((3, 9, 9), metadata, wanted, "a.tif") == expected


@pytest.mark.parametrize("wanted", ["RFP", 0, 4, "-1"])
def test_a_channel_that_is_not_there_is_refused(wanted):
    metadata = Metadata("CYX", channels=("DAPI", "GFP", "Cy5"))
    with pytest.raises(
        InputError, match=rf"a.tif: has no channel {wanted!r}; it has 3 called DAPI"
    ):
        channels_wanted((3, 9, 9), metadata, [wanted], "a.tif")


@pytest.mark.parametrize(("axes", "dims"), [("TYX", 3), ("CYX", 3), ("YX", 3), ("ZX", 2)])
def test_axes_that_a_model_needs_and_the_image_lacks_are_named(axes, dims):
    with pytest.raises(InputError, match=f"a.tif: has axes {axes}; the model restores"):
        require_dimensions(Metadata(axes), dims, "a.tif")


def test_the_files_pixel_size_holds_and_the_users_where_there_is_none():
    assert with_sizes(Metadata("YX", 40.0), Stated(), model(), "a").pixel_size_nm == 40
    assert with_sizes(Metadata("YX"), Stated(45.0), model(), "a").pixel_size_nm == 45
    assert with_sizes(Metadata("YX", 40.0), Stated(40.2), model(), "a").pixel_size_nm == 40


def test_a_pixel_size_that_nobody_states_is_asked_for():
    with pytest.raises(InputError, match=r"a.tif: has no pixel_size_nm.*add pixel_size_nm="):
        with_sizes(Metadata("YX"), Stated(), model(), "a.tif")


def test_a_pixel_size_that_the_file_contradicts_is_refused():
    with pytest.raises(InputError, match="the file says pixel_size_nm 40, the configuration 45"):
        with_sizes(Metadata("YX", 40.0), Stated(45.0), model(), "a.tif")


def test_a_model_of_volumes_needs_a_z_step_where_it_knows_its_own():
    volume = Metadata("ZYX", 50.0)
    with pytest.raises(InputError, match="has no z_step_nm"):
        with_sizes(volume, Stated(), model(dims=3, z_step_nm=200.0), "a.tif")
    assert with_sizes(volume, Stated(), model(dims=3), "a.tif").z_step_nm is None
    assert with_sizes(volume, Stated(), model(), "a.tif").z_step_nm is None


def test_steps_are_the_models_size_over_the_images():
    metadata = Metadata("ZYX", 40.0, 100.0)
    steps, _ = steps_to_model(metadata, model(50.0, 3, 200.0))
    assert steps == (2.0, 1.25, 1.25)
    assert steps_to_model(metadata, model(50.0))[0] == (1.25, 1.25)


@pytest.mark.parametrize("size_nm", [50.0, 50.4, 49.6])
def test_sizes_within_a_hundredth_are_the_same(size_nm):
    assert steps_to_model(Metadata("YX", size_nm), model()) == ((1.0, 1.0), [])


@pytest.mark.parametrize(
    ("size_nm", "warned"), [(36.0, False), (69.0, False), (34.0, True), (71.0, True)]
)
def test_a_size_beyond_the_published_range_is_warned_of(size_nm, warned):
    # Huang et al. 2023: 35 to 70 nm for a model of 50 nm
    _, warnings = steps_to_model(Metadata("YX", size_nm), model(50.0))
    assert len(warnings) == warned
    assert all(f"{size_nm:g} in the image and 50 in the model" in text for text in warnings)
