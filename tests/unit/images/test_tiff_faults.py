"""TIFF files of which tifffile reads what is missing as zeros, or never comes to an end."""

import struct

import numpy as np
import pytest
import tifffile

from crossres.images import open_image, read_image
from crossres.jobs import InputError

PLANE = np.arange(1, 64 * 48 + 1, dtype=np.uint16).reshape(64, 48)
LAYOUTS = {
    "strips": {"rowsperstrip": 16},
    "tiles": {"tile": (16, 16)},
    "packed": {"rowsperstrip": 16, "compression": "zlib"},
    "big": {"rowsperstrip": 16, "bigtiff": True},
    "big endian": {"rowsperstrip": 16, "byteorder": ">"},
}
OFFSETS = {"strips": "StripOffsets", "tiles": "TileOffsets"}
COUNTS = {"strips": "StripByteCounts", "tiles": "TileByteCounts"}


@pytest.fixture(params=LAYOUTS)
def file(tmp_path, request):
    """A file of two pages; its layout."""
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(
        path, bigtiff=request.param == "big", byteorder=LAYOUTS[request.param].get("byteorder")
    ) as tiff:
        options = {
            k: v
            for k, v in LAYOUTS[request.param].items()
            if k in ("rowsperstrip", "tile", "compression")
        }
        for page in (PLANE, PLANE[::-1]):
            tiff.write(page, metadata=None, contiguous=False, **options)
    return path, "tiles" if request.param == "tiles" else "strips"


def refusal(path):
    with pytest.raises(InputError) as fault:
        read_image(path, axes="ZYX")
    assert str(path) in str(fault.value)
    with pytest.raises(InputError):
        open_image(path, path.parent, axes="ZYX")
    return str(fault.value)


def overwrite(path, tag, page=1, value=0, count=None):
    """Change the first entry of a tag, or how many entries it has."""
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        found = tiff.pages[page].tags[tag]
        if count is not None:
            at, form = found.offset + 4, tiff.tiff.offsetformat
            data = struct.pack(form, count)
        else:
            form = tiff.byteorder + tifffile.TIFF.DATA_FORMATS[found.dtype][-1]
            at, data = found.valueoffset, struct.pack(form, value)
        tiff.filehandle.seek(at)
        tiff.filehandle.write(data)


def test_the_files_are_sound(file):
    np.testing.assert_array_equal(read_image(file[0], axes="ZYX").array, [PLANE, PLANE[::-1]])


@pytest.mark.parametrize("tags", [OFFSETS, COUNTS])
def test_a_strip_or_tile_that_is_not_there_is_named(file, tags):
    path, kind = file
    overwrite(path, tags[kind])
    assert "page 2 lacks 1 of its" in refusal(path)


def test_fewer_strips_than_the_page_is_long_are_named(file):
    path, kind = file
    overwrite(path, OFFSETS[kind], count=3)
    overwrite(path, COUNTS[kind], count=3)
    message = refusal(path)
    assert "page 2 lacks" in message or "cannot be read" in message


def test_a_strip_that_is_too_short_is_named(tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as tiff:
        for _ in range(2):
            tiff.write(PLANE, metadata=None, contiguous=False, rowsperstrip=16)
    overwrite(path, "StripByteCounts", value=100)
    assert "page 2 holds 4708 of its 6144 bytes" in refusal(path)


def test_pages_that_point_in_a_circle_are_named(file):
    path, _ = file
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        first, last, kind = tiff.pages[0], tiff.pages[1], tiff.tiff
        tiff.filehandle.seek(last.offset)
        (entries,) = struct.unpack(kind.tagnoformat, tiff.filehandle.read(kind.tagnosize))
        tiff.filehandle.seek(last.offset + kind.tagnosize + entries * kind.tagsize)
        tiff.filehandle.write(struct.pack(kind.offsetformat, first.offset))
    assert "its pages point in a circle after 2 of them" in refusal(path)


def test_a_description_of_endless_planes_asks_for_no_memory(tmp_path):
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, PLANE, description=_ome(10**9), metadata=None)
    assert "declares 1000000000 planes, and 1 are there" in refusal(path)


def _ome(slices):
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
        f'<Pixels DimensionOrder="XYZCT" ID="Pixels:0" SizeC="1" SizeT="1" SizeX="48" SizeY="64" '
        f'SizeZ="{slices}" Type="uint16"><Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData/>'
        "</Pixels></Image></OME>"
    )


def test_an_image_whose_large_numbers_are_dark_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", PLANE, photometric="miniswhite", metadata=None)
    assert "is stored as WhiteIsZero" in refusal(tmp_path / "a.tif")


@pytest.mark.parametrize("name", ["run_MMStack_Default.ome.tif", "cell_01.ome.tif", "cell_01.tif"])
def test_a_whole_file_may_be_renamed(tmp_path, name):
    """Micro-Manager names the file of each plane, and gives the file itself no UUID."""
    stack = np.stack([PLANE + 100 * n for n in range(6)])
    uuid = '<UUID FileName="run_MMStack_Default.ome.tif">urn:uuid:0-0</UUID>'
    planes = "".join(
        f'<TiffData FirstT="{n // 3}" FirstZ="{n % 3}" IFD="{n}" PlaneCount="1">{uuid}</TiffData>'
        for n in range(6)
    )
    xml = _ome(3).replace('SizeT="1"', 'SizeT="2"').replace("<TiffData/>", planes)
    tifffile.imwrite(tmp_path / name, stack, description=xml, metadata=None)
    found = read_image(tmp_path / name)
    assert found.axes == "TZYX"
    np.testing.assert_array_equal(found.array.reshape(stack.shape), stack)
