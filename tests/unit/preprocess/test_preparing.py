"""The steps before registration, run one after the other as Snakemake would."""

import numpy as np
import pytest

from crossres.images import Grid, Image, read_image, write_image
from crossres.jobs import InputError
from crossres.preprocess import Constants
from crossres.settings import Background, Cut
from find_constants import find_constants
from import_images import RawField, import_images

NO_GRID = Grid()
FILM = {"frame_interval_s": 2.0, "channels": ("GFP",)}


def raw_file(folder, name, array, axes, pixel_size_nm=60.0, z_step_nm=None, **more):
    write_image(folder / f"{name}.ome.tif", Image(array, axes, pixel_size_nm, z_step_nm, **more))
    return str(folder / f"{name}.ome.tif")


def field(path, name="a", pixel_size_nm=None, z_step_nm=None, cut_index=None):
    return RawField(name, path, "line 2", Grid(pixel_size_nm, z_step_nm), cut_index)


@pytest.mark.parametrize(
    ("axes", "shape", "dims"),
    [("YX", (20, 24), 2), ("TYX", (3, 20, 24), 2), ("ZYX", (4, 20, 24), 3),
     ("TZYX", (2, 4, 20, 24), 3)],
)  # fmt: skip
def test_an_imported_image_keeps_what_its_file_says(tmp_path, rng, axes, shape, dims):
    array = rng.integers(0, 4000, shape, dtype=np.uint16)
    planes = {(0, 0, 0): {"ExposureTime": "0.1", "PositionX": "12.3456", "PositionXUnit": "mm"}}
    details = ({"EmissionWavelength": "520"},)
    step = 250.0 if "Z" in axes else None
    film = FILM if "T" in axes else {"channels": ("GFP",)}
    path = raw_file(tmp_path, "raw", array, axes, 60.0, step, channel_details=details,
                    planes=planes, **film)  # fmt: skip
    import_images([field(path)], NO_GRID, None, dims, tmp_path / "imported")
    found = read_image(tmp_path / "imported" / "a.ome.tif")
    np.testing.assert_array_equal(found.array, array)
    raw = read_image(path)
    assert found.metadata == raw.like(array, planes={(0, 0, 0): {"ExposureTime": "0.1"}}).metadata
    assert (found.z_step_nm, found.channels) == (step, ("GFP",))


def test_the_place_of_the_stage_is_no_place_in_a_field(tmp_path, rng):
    array = rng.integers(0, 4000, (20, 24), dtype=np.uint16)
    path = raw_file(tmp_path, "raw", array, "YX", corner_px=(300, 4000))
    import_images([field(path)], NO_GRID, None, 2, tmp_path / "imported")
    assert read_image(tmp_path / "imported" / "a.ome.tif").corner_px == (0, 0)


def test_sizes_come_from_the_sheet_and_the_modality_where_the_file_has_none(tmp_path, rng):
    array = rng.integers(0, 4000, (4, 20, 24), dtype=np.uint16)
    path = raw_file(tmp_path, "raw", array, "ZYX", None)
    import_images([field(path, z_step_nm=200.0)], Grid(65.0), None, 3, tmp_path / "imported")
    assert read_image(tmp_path / "imported" / "a.ome.tif").grid == Grid(
        pytest.approx(65.0), pytest.approx(200.0)
    )


def test_every_fault_is_named_with_its_line(tmp_path, rng):
    volume = rng.integers(0, 4000, (4, 20, 24), dtype=np.uint16)
    steep = raw_file(tmp_path, "steep", volume, "ZYX", 60.0, 250.0)
    plane = raw_file(tmp_path, "plane", volume[0], "YX")
    film = raw_file(tmp_path, "film", volume, "TYX")
    fields = [field(steep, "a", z_step_nm=300.0), field(plane, "b"), field(film, "c")]
    with pytest.raises(InputError) as fault:
        import_images(fields, NO_GRID, None, 3, tmp_path / "imported")
    message = str(fault.value)
    for words in (
        "steep.ome.tif: the file says 250 nm a slice, the sheet (line 2) says 300 nm",
        "plane.ome.tif: is a single plane",
        "film.ome.tif: is a time series of 4 frames",
    ):
        assert words in message  # fmt: skip


@pytest.mark.parametrize(("axes", "leading"), [("YX", ()), ("TYX", (3,)), ("ZYX", (3,))])
def test_fields_are_cut_laterally(tmp_path, rng, axes, leading):
    array = rng.integers(0, 4000, (*leading, 20, 40), dtype=np.uint16)
    path = raw_file(tmp_path, "raw", array, axes, 60.0, 250.0 if "Z" in axes else None)
    cut = Cut(rows=2, columns={"train": 2, "validation": 1, "test": 1}, guard_px=0)
    fields = [field(path, f"f{n}", cut_index=n) for n in range(8)]
    import_images(fields, NO_GRID, cut, 3 if "Z" in axes else 2, tmp_path / "imported")
    found = [read_image(tmp_path / "imported" / f"f{n}.ome.tif") for n in range(8)]
    assert {image.corner_px for image in found} == {(0, 0)}
    rows = [np.concatenate([image.array for image in found[i : i + 4]], -1) for i in (0, 4)]
    np.testing.assert_array_equal(np.concatenate(rows, -2), array)


@pytest.fixture
def volumes(tmp_path, rng):
    """Imported volumes of both microscopes: 100 counts of background beside a bright part."""
    for role, pixel_nm, step_nm, side in (("input", 60.0, 300.0, 24), ("target", 30.0, 150.0, 48)):
        for name in "ab":
            array = rng.uniform(200, 900, (5, side, side)).astype(np.float32)
            array[2, :12, :12] = 100
            image = Image(array, "ZYX", pixel_nm, step_nm, ("GFP",))
            write_image(tmp_path / role / f"{name}.ome.tif", image)
    return {role: tmp_path / role for role in ("input", "target")}


NAMES = {"input": ["a", "b"], "target": ["a", "b"]}


@pytest.mark.parametrize("method", ["none", "find"])
def test_constants_are_those_of_the_training_images(tmp_path, volumes, method):
    background = Background(method=method, region_px=12)
    find_constants(volumes, NAMES, background, tmp_path / "constants.json")
    found = Constants.read(tmp_path / "constants.json")
    assert found.input.pixel_size_nm == pytest.approx(60.0)
    assert found.input.z_step_nm == pytest.approx(300.0)
    assert found.target.pixel_size_nm == pytest.approx(30.0)
    assert found.target.z_step_nm == pytest.approx(150.0)
    for of in (found.input, found.target):
        assert of.background == (None if method == "none" else pytest.approx(100))


def test_the_first_images_grid_stands_for_all(tmp_path, volumes):
    # the registration leaves out a target of another one, and says why
    other = read_image(volumes["target"] / "b.ome.tif")
    write_image(volumes["target"] / "b.ome.tif", other.like(other.array, z_step_nm=200.0))
    find_constants(volumes, NAMES, Background(), tmp_path / "constants.json")
    assert Constants.read(tmp_path / "constants.json").target.z_step_nm == pytest.approx(150.0)
