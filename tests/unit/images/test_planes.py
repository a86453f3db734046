"""What OME says of single planes and channels: places, times, wavelengths."""

import numpy as np
import pytest
import tifffile

from crossres.images import read_image, write_image

PLANE = np.arange(1, 13 * 10 + 1, dtype=np.uint16).reshape(13, 10)


def write_at_stage_position(path, y, x, pixel_um=0.325, **more):
    """An OME file as microscopes write it, with the position of the stage."""
    plane = {"PositionY": [y], "PositionX": [x], **more}
    metadata = {"axes": "YX", "Plane": plane}
    if pixel_um:
        metadata |= {"PhysicalSizeX": pixel_um, "PhysicalSizeY": pixel_um}
    tifffile.imwrite(path, PLANE, metadata=metadata)


@pytest.mark.parametrize("place_um", [(1234.567, -89.01), (-0.1, 0.1), (1e9, 1e-9)])
@pytest.mark.parametrize("pixel_um", [0.325, None])
def test_a_stage_position_that_is_no_whole_pixel_does_no_harm(tmp_path, place_um, pixel_um):
    write_at_stage_position(tmp_path / "a.ome.tif", *place_um, pixel_um)
    found = read_image(tmp_path / "a.ome.tif")
    np.testing.assert_array_equal(found.array, PLANE)
    assert found.pixel_size_nm == (pytest.approx(325.0) if pixel_um else None)
    assert found.corner_px == (0, 0)


@pytest.mark.parametrize("place", [float("nan"), float("inf")])
def test_a_stage_position_that_is_no_number_does_no_harm(tmp_path, place):
    write_at_stage_position(tmp_path / "a.ome.tif", place, 3.0)
    assert read_image(tmp_path / "a.ome.tif").corner_px == (0, 0)


POSITIONS = {
    "PositionX": 12.3456, "PositionXUnit": "mm", "PositionY": -1.5, "PositionYUnit": "mm"
}  # fmt: skip


def film(path):
    """A film of two channels with all that OME says of its planes and channels."""
    planes = [{"DeltaT": t + c / 10, "ExposureTime": 0.1} for t in range(3) for c in range(2)]
    channels = [
        {"Name": "DAPI", "EmissionWavelength": 460},
        {"Name": "GFP", "EmissionWavelength": 0.51, "EmissionWavelengthUnit": "µm", "Fluor": "x"},
    ]
    array = np.arange(3 * 2 * 8 * 5, dtype=np.uint16).reshape(3, 2, 8, 5)
    metadata = {
        "axes": "TCYX", "PhysicalSizeX": 0.05, "PhysicalSizeY": 0.05, "Channel": channels,
        "Plane": [{**plane, **POSITIONS} for plane in planes],
    }  # fmt: skip
    tifffile.imwrite(path, array, metadata=metadata)
    return read_image(path)


def test_what_is_said_of_planes_and_channels_survives(tmp_path):
    first = film(tmp_path / "a.ome.tif")
    assert first.planes[2, 1, 0]["DeltaT"] == "2.1"
    assert first.planes[0, 0, 0]["ExposureTime"] == "0.1"
    assert first.channel_details[1] == {
        "EmissionWavelength": "0.51", "EmissionWavelengthUnit": "µm", "Fluor": "x"
    }  # fmt: skip
    write_image(tmp_path / "b.ome.tif", first)
    assert read_image(tmp_path / "b.ome.tif").metadata == first.metadata


def test_of_a_channel_its_own_planes_are_left(tmp_path):
    whole = film(tmp_path / "a.ome.tif").metadata
    green = whole.of_channels([1])
    assert green.channels == ("GFP",)
    assert green.channel_details == whole.channel_details[1:]
    assert [plane["DeltaT"] for plane in green.planes.values()] == ["0.1", "1.1", "2.1"]
    assert set(green.planes) == {(t, 0, 0) for t in range(3)}
    swapped = whole.of_channels([1, 0])
    assert swapped.channels == ("GFP", "DAPI")
    assert swapped.planes[2, 0, 0]["DeltaT"] == "2.1"


def place_of_stage(found):
    """In µm, as a reader of OME would find it."""
    plane = found.planes.get((0, 0, 0), {})
    to_um = {"mm": 1e3, "µm": 1.0, "nm": 1e-3}
    if plane:
        keys = ("PositionY", "PositionX")
        return [float(plane[key]) * to_um[plane[f"{key}Unit"]] for key in keys]
    return [place * found.pixel_size_nm / 1e3 for place in found.corner_px]


@pytest.mark.parametrize(
    ("y", "x", "unit", "corner"),
    [(12.3456, -3.2501, "mm", None), (12.34567, 1.0, "mm", None), (512.0, 20.5, "nm", None),
     (0.5, 2.0, "µm", (10, 40)), (500, 2000, "nm", (10, 40))],
)  # fmt: skip
def test_the_position_of_the_stage_survives_in_its_unit(tmp_path, y, x, unit, corner):
    units = {"PositionYUnit": [unit], "PositionXUnit": [unit]}
    write_at_stage_position(tmp_path / "a.ome.tif", y, x, 0.05, **units)
    write_image(tmp_path / "b.ome.tif", read_image(tmp_path / "a.ome.tif"))
    found = read_image(tmp_path / "b.ome.tif")
    assert found.corner_px == (corner or found.corner_px)
    um = {"mm": 1e3, "µm": 1.0, "nm": 1e-3}[unit]
    assert place_of_stage(found) == pytest.approx([y * um, x * um], rel=1e-9)


def test_a_position_without_a_unit_of_length_is_no_place_in_a_field(tmp_path):
    write_at_stage_position(tmp_path / "a.ome.tif", 0.5, 2.0, 0.05)
    found = read_image(tmp_path / "a.ome.tif")
    assert found.corner_px == (0, 0)
    assert found.planes[0, 0, 0] == {"PositionY": "0.5", "PositionX": "2.0"}
