"""Stacks with their times, read and written without holding them."""

import numpy as np
import pytest
import tifffile

from crossres.images import (
    Image,
    Metadata,
    files_of_image,
    image_to_fill,
    open_image,
    read_image,
    slabs,
    write_image,
)
from crossres.jobs import InputError

STACK = np.arange(4 * 6 * 5, dtype=np.uint16).reshape(4, 6, 5)


def written(path, **metadata):
    tifffile.imwrite(path, STACK, ome=True, metadata={"axes": "TYX", **metadata})
    return read_image(path).frame_interval_s


@pytest.mark.parametrize(
    ("unit", "time", "seconds"),
    [("s", 2.5, 2.5), (None, 2.5, 2.5), ("ms", 40, 0.04), ("min", 2, 120), ("µs", 5, 5e-6),
     ("h", 0.5, 1800), ("frames", 1, None), ("s", 0, None), ("s", -1, None)],
)  # fmt: skip
def test_ome_time_increment_in_its_unit(tmp_path, unit, time, seconds):
    stated = {"TimeIncrement": time, **({"TimeIncrementUnit": unit} if unit else {})}
    found = written(tmp_path / "a.ome.tif", **stated)
    assert found == (pytest.approx(seconds) if seconds else None)


def test_ome_without_times_has_none(tmp_path):
    assert written(tmp_path / "a.ome.tif") is None


@pytest.mark.parametrize(
    ("metadata", "seconds"),
    [({"finterval": 0.25}, 0.25), ({"finterval": 3, "tunit": "min"}, 180), ({}, None),
     ({"finterval": 0}, None), ({"finterval": 5, "tunit": "strides"}, None)],
)  # fmt: skip
def test_imagej_frame_interval(tmp_path, metadata, seconds):
    tifffile.imwrite(tmp_path / "a.tif", STACK, imagej=True, metadata={"axes": "TYX", **metadata})
    found = read_image(tmp_path / "a.tif").frame_interval_s
    assert found == (pytest.approx(seconds) if seconds else None)


def test_a_stack_of_slices_has_no_frame_interval_and_a_film_no_z_step(tmp_path):
    metadata = {"axes": "ZYX", "finterval": 0.25, "unit": "um", "spacing": 0.3}
    tifffile.imwrite(tmp_path / "z.tif", STACK, imagej=True, metadata=metadata)
    slices = read_image(tmp_path / "z.tif")
    assert (slices.frame_interval_s, slices.z_step_nm) == (None, pytest.approx(300))
    tifffile.imwrite(tmp_path / "t.tif", STACK, imagej=True, metadata={**metadata, "axes": "TYX"})
    film = read_image(tmp_path / "t.tif")
    assert (film.frame_interval_s, film.z_step_nm) == (pytest.approx(0.25), None)


@pytest.mark.parametrize("interval_s", [0.05, 20.0, 1 / 3])
def test_the_frame_interval_survives(tmp_path, interval_s):
    write_image(tmp_path / "a.ome.tif", Image(STACK, "TYX", 50.0, frame_interval_s=interval_s))
    assert read_image(tmp_path / "a.ome.tif").frame_interval_s == pytest.approx(interval_s)


def test_unnamed_axes_are_named_by_the_user(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", STACK, metadata=None, photometric="minisblack")
    found = read_image(tmp_path / "a.tif", axes="TYX")
    assert found.axes == "TYX"
    np.testing.assert_array_equal(found.array, STACK)


@pytest.mark.parametrize("axes", ["YX", "TZYX", "YXT"])
def test_axes_that_do_not_fit_an_unnamed_stack_are_refused(tmp_path, axes):
    tifffile.imwrite(tmp_path / "a.tif", STACK, metadata=None, photometric="minisblack")
    with pytest.raises(InputError, match=f"axes says {axes}: correct that"):
        read_image(tmp_path / "a.tif", axes=axes)


@pytest.mark.parametrize(("axes", "warned"), [("YX", False), ("ZYX", True), ("TYX", False)])
def test_a_file_that_names_its_axes_is_read_by_them(tmp_path, caplog, axes, warned):
    tifffile.imwrite(tmp_path / "a.ome.tif", STACK, metadata={"axes": "TYX"})
    assert read_image(tmp_path / "a.ome.tif", axes=axes).axes == "TYX"
    assert ("names its axes TYX; axes=ZYX is not applied" in caplog.text) == warned


def test_two_axes_of_one_name_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", STACK, metadata=None, photometric="minisblack")
    with pytest.raises(InputError, match=r"has axes YYX"):
        read_image(tmp_path / "a.tif", axes="YYX")


KINDS = {
    "imagej": {"imagej": True},
    "ome": {"ome": True},
    "compressed": {"ome": True, "compression": "zlib"},
    "predicted": {"ome": True, "compression": "lzw", "predictor": True},
    "tiled": {"ome": True, "tile": (16, 16)},
    "big endian": {"ome": True, "byteorder": ">"},
    "big endian, compressed": {"ome": True, "byteorder": ">", "compression": "zlib"},
    "bigtiff": {"ome": True, "bigtiff": True},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("axes", "shape"), [("YX", (17, 23)), ("ZCYX", (3, 2, 17, 23))])
def test_an_opened_image_is_the_one_that_is_read(rng, tmp_path, kind, axes, shape):
    array = rng.integers(0, 6000, shape, dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", array, metadata={"axes": axes}, **KINDS[kind])
    pixels, metadata = open_image(tmp_path / "a.tif", tmp_path)
    whole = read_image(tmp_path / "a.tif")
    assert metadata == whole.metadata
    assert pixels.shape == whole.array.shape
    np.testing.assert_array_equal(pixels[...], whole.array)
    np.testing.assert_array_equal(pixels[..., 2:9, 1:7], whole.array[..., 2:9, 1:7])


def test_what_is_stored_plainly_is_not_copied(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", STACK, imagej=True)
    open_image(tmp_path / "a.tif", tmp_path / "nowhere")


def test_a_file_that_lacks_planes_that_it_declares_is_refused(tmp_path):
    # what a microscope leaves that was stopped: the text speaks of four planes, two are there
    metadata = {"axes": "TYX"}
    tifffile.imwrite(tmp_path / "a.ome.tif", STACK, metadata=metadata, compression="zlib")
    with tifffile.TiffFile(tmp_path / "a.ome.tif", mode="r+b") as tiff:
        text = tiff.pages[0].description
        half = text.replace('PlaneCount="4"', 'PlaneCount="2"')
        tiff.pages[0].tags["ImageDescription"].overwrite(half)
    for read in (read_image, lambda path: open_image(path, tmp_path)):
        with pytest.raises(InputError, match=r"a.ome.tif: declares 4 planes, and 2 are there"):
            read(tmp_path / "a.ome.tif")


@pytest.fixture
def two_files(tmp_path):
    """A film in two files, each of which describes both."""
    paths = [tmp_path / f"t{t}.ome.tif" for t in range(2)]
    uuids = [f"urn:uuid:{n}" for n in "ab"]
    data = "".join(
        f'<TiffData FirstT="{t}" IFD="0" PlaneCount="1">'
        f'<UUID FileName="{path.name}">{uuids[t]}</UUID></TiffData>'
        for t, path in enumerate(paths)
    )
    pixels = (
        '<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="5" SizeY="6" SizeC="1" '
        f'SizeZ="1" SizeT="2"><Channel ID="Channel:0:0" SamplesPerPixel="1"/>{data}</Pixels>'
    )
    for t, path in enumerate(paths):
        text = (
            '<?xml version="1.0" encoding="UTF-8"?><OME UUID="' + uuids[t] + '" '
            'xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
            f'<Image ID="Image:0">{pixels}</Image></OME>'
        )
        tifffile.imwrite(path, STACK[t], description=text, metadata=None)
    return paths


def test_an_image_in_several_files_is_read_whole_from_each(tmp_path, two_files):
    for path, other in (two_files, two_files[::-1]):
        np.testing.assert_array_equal(read_image(path).array, STACK[:2])
        pixels, _ = open_image(path, tmp_path)
        np.testing.assert_array_equal(pixels[...], STACK[:2])
        assert files_of_image(path) == [path, other]


@pytest.mark.parametrize("missing", [0, 1])
def test_an_image_of_which_a_file_is_missing_is_refused(two_files, missing):
    two_files[missing].unlink()
    expected = rf"is one of 2 files of an image, and t{missing}.ome.tif is missing; copy"
    with pytest.raises(InputError, match=expected):
        read_image(two_files[1 - missing])


def test_a_file_that_was_renamed_is_one_alone(tmp_path):
    write_image(tmp_path / "a.ome.tif", Image(STACK, "TYX", 50.0))
    (tmp_path / "a.ome.tif").rename(tmp_path / "b.tif")
    assert files_of_image(tmp_path / "b.tif") == [tmp_path / "b.tif"]
    (tmp_path / "c.tif").write_bytes(b"no image")
    assert files_of_image(tmp_path / "c.tif") == [tmp_path / "c.tif"]


@pytest.mark.parametrize("part", [0.4, 0.95])
def test_a_truncated_file_is_refused_before_its_pixels_are_touched(tmp_path, rng, part):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, rng.integers(0, 60000, (9, 32, 32), dtype=np.uint16), imagej=True)
    path.write_bytes(path.read_bytes()[: int(part * path.stat().st_size)])
    with pytest.raises(InputError, match="truncated"):
        open_image(path, tmp_path)


def test_a_file_of_one_page_for_many_that_ends_too_soon_is_refused(tmp_path):
    # ImageJ writes large stacks so: one page, the others follow without any of their own
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.ones((9, 32, 32), np.uint16), imagej=True, truncate=True)
    pixels, _ = open_image(path, tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: pixels.end - 500])
    with pytest.raises(InputError, match="truncated"):
        open_image(path, tmp_path)


FILLED = {
    "YX": (17, 24),
    "CYX": (2, 9, 16),
    "TYX": (4, 7, 7),
    "TCZYX": (2, 3, 4, 5, 6),
    # not the three or four samples of a colour
    "ZYX": (3, 5, 3),
    "TZYX": (2, 4, 7, 4),
}


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
@pytest.mark.parametrize("axes", FILLED)
def test_an_image_filled_window_by_window_is_read_whole(rng, tmp_path, axes, dtype):
    array = (rng.random(FILLED[axes]) * 200).astype(dtype)
    channels = ("a", "b", "third")[: array.shape[axes.index("C")]] if "C" in axes else ()
    metadata = Metadata(
        axes, 32.5, 160.0 if "Z" in axes else None, channels, (3, 8), 1.5 if "T" in axes else None
    )
    with image_to_fill(tmp_path / "deep" / "a.ome.tif", array.shape, dtype, metadata) as pixels:
        for window in slabs(array.shape, 20):
            pixels[window] = array[window]
    found = read_image(tmp_path / "deep" / "a.ome.tif")
    assert found.metadata == metadata
    assert found.array.dtype == dtype
    np.testing.assert_array_equal(found.array, array)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a.ome.tif"]


def test_what_is_not_filled_is_zero(tmp_path):
    with image_to_fill(tmp_path / "a.ome.tif", (5, 6), np.float32, Metadata("YX", 30.0)):
        pass
    assert not read_image(tmp_path / "a.ome.tif").array.any()


def test_the_same_pixels_give_the_same_bytes_and_others_another_name(tmp_path):
    names = {}
    for name, value in (("a", 1), ("b", 1), ("c", 2)):
        path = tmp_path / f"{name}.ome.tif"
        with image_to_fill(path, (5, 6), np.float32, Metadata("YX", 30.0)) as pixels:
            pixels[2:4] = value
        with tifffile.TiffFile(path) as tiff:
            names[name] = tifffile.xml2dict(tiff.ome_metadata)["OME"]["UUID"]
    assert (tmp_path / "a.ome.tif").read_bytes() == (tmp_path / "b.ome.tif").read_bytes()
    assert names["a"] == names["b"] != names["c"]


def test_an_image_that_the_disk_has_no_room_for_is_refused(tmp_path):
    expected = r"/a.ome.tif: needs 1e\+04 GB, and [0-9.]+ GB are free in .*; make room there"
    with (
        pytest.raises(InputError, match=expected),
        image_to_fill(tmp_path / "a.ome.tif", (10, 500000, 500000), np.float32, Metadata("ZYX")),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_image_to_fill_has_its_room_on_the_disk(tmp_path):
    with image_to_fill(tmp_path / "a.ome.tif", (1000, 1000), np.float32, Metadata("YX")) as pixels:
        assert pixels.path.stat().st_blocks * 512 >= 4e6


def test_an_image_that_was_not_filled_to_the_end_leaves_nothing(tmp_path):
    with (
        pytest.raises(RuntimeError, match="power"),
        image_to_fill(tmp_path / "a.ome.tif", (5, 6), np.float32, Metadata("YX")),
    ):
        raise RuntimeError("power cut")
    assert list(tmp_path.iterdir()) == []
