import numpy as np
import pytest

from crossres.images import Metadata
from crossres.jobs import InputError
from crossres.networks import ModelFile
from crossres.preprocess import Scale
from crossres.restoration.stacks import (
    Frame,
    Stated,
    Subtracted,
    channels_wanted,
    frames_of,
    place_of,
    require_dimensions,
    resampling_to_model,
    with_sizes,
)

pytestmark = pytest.mark.slow

SCALE = Scale(0.0, 1.0)


def model(pixel_size_nm=50.0, dims=2, z_step_nm=None, **more):
    return ModelFile("care", {}, dims, SCALE, SCALE, pixel_size_nm, z_step_nm=z_step_nm, **more)


def resampling(metadata, model_file):
    return resampling_to_model(metadata, model_file, "a.tif")


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


@pytest.mark.parametrize(
    ("wanted", "expected"), [((488,), [1]), (("405", " 561"), [0, 2]), ((3, "2"), [2, 1])]
)
def test_a_name_that_is_a_number_comes_before_the_number(wanted, expected):
    metadata = Metadata("CYX", channels=("405", "488", "561"))
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
    with pytest.raises(InputError, match=r"a.tif: has no pixel_size_nm.*add --pixel-size-nm"):
        with_sizes(Metadata("YX"), Stated(), model(), "a.tif")


@pytest.mark.parametrize("size_nm", [float("nan"), 0.0, -40.0, float("inf")])
def test_a_pixel_size_that_is_none_counts_as_not_stated(size_nm):
    metadata = Metadata("ZYX", size_nm, size_nm)
    with pytest.raises(InputError, match=r"a.tif: has no pixel_size_nm.*add --pixel-size-nm"):
        with_sizes(metadata, Stated(), model(), "a.tif")
    with pytest.raises(InputError, match="has no z_step_nm"):
        with_sizes(metadata, Stated(45.0), model(dims=3, z_step_nm=200.0), "a.tif")
    found = with_sizes(metadata, Stated(45.0), model(), "a.tif")
    assert (found.pixel_size_nm, found.z_step_nm) == (45.0, None)


def test_a_pixel_size_that_the_file_contradicts_is_refused():
    with pytest.raises(InputError, match="the file says pixel_size_nm 40, --pixel-size-nm 45"):
        with_sizes(Metadata("YX", 40.0), Stated(45.0), model(), "a.tif")


def test_a_model_of_volumes_needs_a_z_step_where_it_knows_its_own():
    volume = Metadata("ZYX", 50.0)
    with pytest.raises(InputError, match="has no z_step_nm"):
        with_sizes(volume, Stated(), model(dims=3, z_step_nm=200.0), "a.tif")
    assert with_sizes(volume, Stated(), model(dims=3), "a.tif").z_step_nm is None
    assert with_sizes(volume, Stated(), model(), "a.tif").z_step_nm is None


def test_steps_are_the_models_size_over_the_images():
    metadata = Metadata("ZYX", 40.0, 100.0)
    found, _ = resampling(metadata, model(50.0, 3, 200.0))
    assert (found.steps, found.order, found.back) == ((2.0, 1.25, 1.25), None, True)
    assert resampling(metadata, model(50.0))[0].steps == (1.25, 1.25)


@pytest.mark.parametrize("size_nm", [50.0, 50.4, 49.6])
def test_sizes_within_a_hundredth_are_the_same(size_nm):
    found, warnings = resampling(Metadata("YX", size_nm), model())
    assert (found.needed, warnings) == (False, [])
    assert found.restored_shape((3, 20, 21)) == (3, 20, 21)


@pytest.mark.parametrize(
    ("size_nm", "warned"), [(36.0, False), (69.0, False), (34.0, True), (71.0, True)]
)
def test_a_size_beyond_the_published_range_is_warned_of(size_nm, warned):
    # Huang et al. 2023: 35 to 70 nm for a model of 50 nm
    _, warnings = resampling(Metadata("YX", size_nm), model(50.0))
    assert len(warnings) == warned
    assert all(f"{size_nm:g} in the image and 50 in the model" in text for text in warnings)


@pytest.mark.parametrize("size_nm", [4.9, 501.0, 5e4])
def test_a_size_that_must_be_wrong_is_refused(size_nm):
    with pytest.raises(InputError, match=r"a.tif: its pixel_size_nm is probably wrong: .* 0.1 to"):
        resampling(Metadata("YX", size_nm), model(50.0))
    with pytest.raises(InputError, match=r"a.tif: its z_step_nm is probably wrong"):
        resampling(Metadata("ZYX", 50.0, 3 * size_nm), model(50.0, 3, 150.0))


FINER = {"input_pixel_size_nm": 60.0, "interpolation_order": 3}


@pytest.mark.parametrize("size_nm", [60.0, 59.5, 60.5])
def test_the_trainings_own_pixels_are_brought_to_the_models_and_stay(size_nm):
    metadata = Metadata("YX", size_nm, corner_px=(3, 10))
    found, warnings = resampling(metadata, model(30.0, **FINER))
    assert (found.steps, found.order, found.back, warnings) == ((0.5, 0.5), 3, False, [])
    assert found.restored_shape((4, 20, 21)) == (4, 40, 42)
    told = found.restored_metadata(metadata)
    assert (told.pixel_size_nm, told.corner_px) == (size_nm / 2, (6, 20))


@pytest.mark.parametrize(("size_nm", "needed"), [(30.0, False), (50.0, True), (20.0, True)])
def test_images_of_other_pixels_keep_them(size_nm, needed):
    metadata = Metadata("YX", size_nm)
    found, _ = resampling(metadata, model(30.0, **FINER))
    assert (found.needed, found.order) == (needed, None)
    assert found.restored_shape((20, 21)) == (20, 21)
    assert found.restored_metadata(metadata) == metadata


@pytest.mark.parametrize(
    ("size_nm", "said"),
    [
        (22.0, None),
        (65.0, "brought back"),
        (83.0, "brought back"),
        (85.0, "Huang"),
        (20.0, "Huang"),
    ],
)
def test_what_is_said_of_other_pixels_follows_the_trainings(size_nm, said):
    _, warnings = resampling(Metadata("YX", size_nm), model(30.0, **FINER))
    assert [said in text for text in warnings] == ([True] if said else [])


def test_a_model_of_larger_pixels_gives_back_the_images_own():
    found, _ = resampling(Metadata("YX", 30.0), model(60.0, input_pixel_size_nm=30.0))
    assert (found.steps, found.order, found.back) == ((2.0, 2.0), 1, True)


def test_of_two_sizes_that_hardly_differ_the_nearer_counts():
    model_file = model(60.0, input_pixel_size_nm=60.3)
    assert not resampling(Metadata("YX", 60.0), model_file)[0].needed
    found, _ = resampling(Metadata("YX", 60.3), model_file)
    assert found.steps == (60.0 / 60.3,) * 2


def test_slices_of_another_distance_are_resampled_as_ever():
    model_file = model(30.0, 3, 100.0, **FINER)
    found, _ = resampling(Metadata("ZYX", 60.0, 100.0), model_file)
    assert (found.steps, found.order) == ((1.0, 0.5, 0.5), 3)
    found, _ = resampling(Metadata("ZYX", 60.0, 200.0), model_file)
    assert (found.steps, found.order, found.back) == ((0.5, 0.5, 0.5), None, True)


RAW_VOLUMES = {**FINER, "input_z_step_nm": 200.0}


def test_slices_of_raw_volumes_are_resampled_as_in_the_training():
    model_file = model(30.0, 3, 100.0, **RAW_VOLUMES)
    found, warnings = resampling(Metadata("ZYX", 60.0, 200.0), model_file)
    assert (found.steps, found.order, found.back) == ((0.5, 0.5, 0.5), 3, False)
    assert warnings == []
    planes = {(0, 0, 3): {"ExposureTime": "1"}}
    raw = Metadata("ZYX", 60.0, 200.0, corner_px=(4, 6), planes=planes)
    restored = found.restored_metadata(raw)
    assert (restored.pixel_size_nm, restored.z_step_nm, restored.planes) == (30.0, 100.0, {})
    assert restored.corner_px == (8, 12)
    assert found.restored_shape((2, 5, 10, 11)) == (2, 10, 20, 22)


def test_a_volume_with_the_models_slices_is_no_raw_one():
    model_file = model(30.0, 3, 100.0, **RAW_VOLUMES)
    found, _ = resampling(Metadata("ZYX", 60.0, 100.0), model_file)
    assert (found.steps, found.order, found.back) == ((1.0, 0.5, 0.5), None, True)
    assert not resampling(Metadata("ZYX", 30.0, 100.0), model_file)[0].needed


def test_a_background_is_subtracted_from_every_window():
    image = np.array([[90, 100], [110, 65535]], dtype=np.uint16)
    found = Subtracted(image, 100.5)
    assert (found.shape, found.dtype) == ((2, 2), np.float32)
    np.testing.assert_array_equal(found[0:2, 1:2], [[0], [65434.5]])
    np.testing.assert_array_equal(Frame(found, (1,))[0:2,], [9.5, 65434.5])
    with pytest.raises(TypeError):
        found[0:1, 0:1] = 3


def test_frames_are_named_as_people_count():
    assert place_of((1, 0, 2), (48, 1, 3, 9, 9), "TCZYX") == ", frame T 2 of 48, Z 3 of 3"
    assert place_of((), (9, 9), "YX") == ""
