import numpy as np
import pytest
import tifffile

from crossres.images import Image, read_image, write_image

SHAPES = {
    "YX": (17, 24),
    "CYX": (2, 9, 16),
    "ZYX": (3, 8, 13),
    "TYX": (4, 7, 7),
    "CZYX": (2, 3, 8, 5),
    "TCZYX": (2, 3, 4, 5, 6),
    # not the samples of a colour
    "TCYX": (2, 2, 7, 3),
    "TZYX": (2, 3, 7, 4),
}


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("axes", SHAPES)
def test_pixels_dtype_axes_and_sizes_survive(tmp_path, rng, axes, dtype):
    array = (rng.random(SHAPES[axes]) * 200).astype(dtype)
    channels = ("input", "target", "third")[: array.shape[axes.index("C")]] if "C" in axes else ()
    step = 160.0 if "Z" in axes else None
    write_image(tmp_path / "a.ome.tif", Image(array, axes, 32.5, step, channels))
    found = read_image(tmp_path / "a.ome.tif")
    assert found.axes == axes
    assert found.array.dtype == dtype
    np.testing.assert_array_equal(found.array, array)
    assert found.pixel_size_nm == pytest.approx(32.5, rel=1e-9)
    assert found.z_step_nm == (pytest.approx(step, rel=1e-9) if step else None)
    assert found.channels == channels


def test_float64_is_stored_as_float32(tmp_path, rng):
    array = rng.random((6, 7))
    write_image(tmp_path / "a.ome.tif", Image(array, "YX", 30.0))
    found = read_image(tmp_path / "a.ome.tif").array
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, array.astype(np.float32))


def test_no_pixel_size_stays_none(tmp_path):
    write_image(tmp_path / "a.ome.tif", Image(np.eye(5, dtype=np.uint8), "YX"))
    assert read_image(tmp_path / "a.ome.tif").pixel_size_nm is None


@pytest.mark.parametrize("size_nm", [0.35, 6.45, 13.0 / 3, 30.0, 108.333, 650.0])
def test_pixel_size_is_kept_to_nine_digits(tmp_path, size_nm):
    write_image(tmp_path / "a.ome.tif", Image(np.eye(5, dtype=np.uint8), "YX", size_nm))
    assert read_image(tmp_path / "a.ome.tif").pixel_size_nm == pytest.approx(size_nm, rel=1e-9)


def test_file_is_ome_with_micrometres(tmp_path):
    write_image(tmp_path / "a.ome.tif", Image(np.eye(5, dtype=np.uint16), "YX", 65.0))
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tiff:
        assert tiff.is_ome
        pixels = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]["Pixels"]
    for axis in "XY":
        assert pixels[f"PhysicalSize{axis}"] == pytest.approx(0.065)
        assert pixels[f"PhysicalSize{axis}Unit"] == "µm"


def test_folders_are_made_and_nothing_is_left_beside_the_file(tmp_path):
    path = tmp_path / "deep" / "er" / "a.ome.tif"
    write_image(path, Image(np.eye(5, dtype=np.uint8), "YX", 30.0))
    assert [p.name for p in path.parent.iterdir()] == ["a.ome.tif"]


def test_a_failed_write_leaves_the_old_file_whole(tmp_path, monkeypatch):
    path = tmp_path / "a.ome.tif"
    write_image(path, Image(np.eye(5, dtype=np.uint8), "YX", 30.0))
    before = path.read_bytes()

    def fill_the_disk(target, *args, **kwargs):
        target.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(tifffile, "imwrite", fill_the_disk)
    with pytest.raises(OSError, match="No space"):
        write_image(path, Image(np.ones((5, 5), dtype=np.uint8), "YX", 30.0))
    assert path.read_bytes() == before


def test_the_same_image_gives_the_same_bytes(tmp_path):
    image = Image(np.arange(64, dtype=np.float32).reshape(8, 8), "YX", 30.0)
    for name in ("a", "b"):
        write_image(tmp_path / f"{name}.ome.tif", image)
    assert (tmp_path / "a.ome.tif").read_bytes() == (tmp_path / "b.ome.tif").read_bytes()


@pytest.mark.parametrize("size_nm", [30.0, 108.333, 13.0 / 3])
@pytest.mark.parametrize("corner_px", [(3, 0), (0, 7), (512, 1731)])
@pytest.mark.parametrize("axes", ["YX", "CYX"])
def test_the_corner_in_the_field_survives(tmp_path, axes, corner_px, size_nm):
    array = np.ones(SHAPES[axes], np.uint16)
    channels = ("input", "target") if axes == "CYX" else ()
    image = Image(array, axes, size_nm, channels=channels, corner_px=corner_px)
    write_image(tmp_path / "a.ome.tif", image)
    found = read_image(tmp_path / "a.ome.tif")
    assert found.corner_px == corner_px
    assert (found.axes, found.channels) == (axes, channels)
    assert found.pixel_size_nm == pytest.approx(size_nm, rel=1e-9)


def test_an_image_that_was_not_cropped_begins_at_0(tmp_path):
    write_image(tmp_path / "a.ome.tif", Image(np.eye(5, dtype=np.uint8), "YX", 30.0))
    assert read_image(tmp_path / "a.ome.tif").corner_px == (0, 0)


def test_the_corner_is_written_as_the_position_of_every_plane(tmp_path):
    image = Image(np.zeros((2, 6, 7), np.uint8), "CYX", 50.0, None, ("a", "b"), (10, 40))
    write_image(tmp_path / "a.ome.tif", image)
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tiff:
        pixels = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]["Pixels"]
    assert len(pixels["Plane"]) == 2
    for plane in pixels["Plane"]:
        # 10 and 40 pixels of 50 nm
        assert (plane["PositionY"], plane["PositionX"]) == (pytest.approx(0.5), pytest.approx(2.0))
        assert (plane["PositionYUnit"], plane["PositionXUnit"]) == ("µm", "µm")
