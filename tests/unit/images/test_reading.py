import numpy as np
import pytest
import tifffile

from crossres.images import read_image, to_dims, write_image
from crossres.jobs import InputError

PLANE = np.arange(1, 13 * 10 + 1, dtype=np.uint16).reshape(13, 10)


def refusal(path):
    with pytest.raises(InputError) as fault:
        read_image(path)
    message = str(fault.value)
    assert str(path) in message
    return message


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(8, 8), (7, 12), (13, 5)])
def test_plain_tiff_gives_its_pixels_and_no_pixel_size(tmp_path, rng, dtype, shape):
    array = (rng.random(shape) * 200).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", array, metadata=None)
    found = read_image(tmp_path / "a.tif")
    assert (found.axes, found.pixel_size_nm, found.array.dtype) == ("YX", None, dtype)
    np.testing.assert_array_equal(found.array, array)


@pytest.mark.parametrize(
    ("unit", "pixels_per_unit", "size_nm"),
    [
        ("um", 10.0, 100.0),
        ("micron", 1e3 / 65, 65.0),
        ("µm", 20.0, 50.0),
        ("\\u00B5m", 20.0, 50.0),
        ("nm", 0.04, 25.0),
        ("mm", 1e4, 100.0),
        ("cm", 1e5, 100.0),
    ],
)
def test_imagej_pixel_size_in_its_unit(tmp_path, unit, pixels_per_unit, size_nm):
    tifffile.imwrite(
        tmp_path / "a.tif", PLANE, imagej=True, resolution=(pixels_per_unit,) * 2,
        metadata={"unit": unit.replace("µ", "\\u00B5"), "axes": "YX"},
    )  # fmt: skip
    assert read_image(tmp_path / "a.tif").pixel_size_nm == pytest.approx(size_nm, abs=2e-4)


def test_imagej_stack_gives_its_spacing(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif", np.stack([PLANE] * 3), imagej=True, resolution=(10, 10),
        metadata={"unit": "um", "spacing": 0.25, "axes": "ZYX"},
    )  # fmt: skip
    found = read_image(tmp_path / "a.tif")
    assert found.axes == "ZYX"
    assert (found.pixel_size_nm, found.z_step_nm) == (pytest.approx(100), pytest.approx(250))


def test_slices_that_are_counted_downwards_have_a_step_all_the_same(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif", np.stack([PLANE] * 3), imagej=True, resolution=(10, 10),
        metadata={"unit": "um", "spacing": -0.25, "axes": "ZYX"},
    )  # fmt: skip
    assert read_image(tmp_path / "a.tif").z_step_nm == pytest.approx(250)


@pytest.mark.parametrize("unit", ["pixel", "inch", ""])
def test_imagej_without_a_length_gives_no_pixel_size(tmp_path, unit):
    metadata = {"unit": unit, "axes": "YX"} if unit else {"axes": "YX"}
    tifffile.imwrite(tmp_path / "a.tif", PLANE, imagej=True, resolution=(10, 10), metadata=metadata)
    assert read_image(tmp_path / "a.tif").pixel_size_nm is None


def test_imagej_hyperstack_is_put_in_the_order_of_the_axes(tmp_path):
    # ImageJ stores slices before channels
    stack = np.arange(3 * 2)[:, None, None] * np.ones((1, 4, 5))
    stack = stack.reshape(3, 2, 4, 5).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, metadata={"axes": "ZCYX"})
    found = read_image(tmp_path / "a.tif")
    assert found.axes == "CZYX"
    np.testing.assert_array_equal(found.array[1, :, 0, 0], [1, 3, 5])


def test_resolution_in_centimetres_is_believed(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif", PLANE, metadata=None, resolution=(2e5, 2e5),
        resolutionunit="CENTIMETER",
    )  # fmt: skip
    assert read_image(tmp_path / "a.tif").pixel_size_nm == pytest.approx(50.0)


@pytest.mark.parametrize("dots", [72, 300, 254000])
def test_resolution_in_inches_is_not_believed(tmp_path, dots):
    tifffile.imwrite(
        tmp_path / "a.tif", PLANE, metadata=None, resolution=(dots, dots), resolutionunit="INCH"
    )
    assert read_image(tmp_path / "a.tif").pixel_size_nm is None


@pytest.mark.parametrize("per_cm", [28.35, 1.0])
def test_resolution_of_a_printed_page_is_not_believed(tmp_path, per_cm):
    tifffile.imwrite(
        tmp_path / "a.tif", PLANE, metadata=None, resolution=(per_cm, per_cm),
        resolutionunit="CENTIMETER",
    )  # fmt: skip
    assert read_image(tmp_path / "a.tif").pixel_size_nm is None


@pytest.mark.parametrize(
    ("unit", "size", "size_nm"),
    [("nm", 40.0, 40.0), ("µm", 0.04, 40.0), (None, 0.04, 40.0), ("mm", 4e-5, 40.0),
     ("pixel", 1.0, None), ("reference frame", 1.0, None), ("nm", 0.0, None),
     ("nm", float("nan"), None)],
)  # fmt: skip
def test_ome_pixel_size_in_its_unit(tmp_path, unit, size, size_nm):
    metadata = {"axes": "YX", "PhysicalSizeX": size, "PhysicalSizeY": size}
    if unit:
        metadata |= {"PhysicalSizeXUnit": unit, "PhysicalSizeYUnit": unit}
    tifffile.imwrite(tmp_path / "a.ome.tif", PLANE, metadata=metadata)
    found = read_image(tmp_path / "a.ome.tif").pixel_size_nm
    assert found == (pytest.approx(size_nm) if size_nm else None)


def test_ome_channel_names(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.ome.tif", np.stack([PLANE, PLANE]),
        metadata={"axes": "CYX", "Channel": {"Name": ["STED", "confocal"]}},
    )  # fmt: skip
    found = read_image(tmp_path / "a.ome.tif")
    assert (found.axes, found.channels) == ("CYX", ("STED", "confocal"))


@pytest.mark.parametrize(
    ("axes", "names", "expected"),
    [("YX", ["GFP"], ("GFP",)), ("YX", [""], ()),
     ("CYX", ["", "GFP"], ("", "GFP"))],
)  # fmt: skip
def test_the_name_of_one_channel_is_kept(tmp_path, axes, names, expected):
    array = PLANE if axes == "YX" else np.stack([PLANE] * len(names))
    metadata = {"axes": axes, "Channel": {"Name": names}}
    tifffile.imwrite(tmp_path / "a.ome.tif", array, metadata=metadata)
    found = read_image(tmp_path / "a.ome.tif")
    assert (found.axes, found.channels) == (axes, expected)
    write_image(tmp_path / "b.ome.tif", found)
    assert read_image(tmp_path / "b.ome.tif").channels == expected


@pytest.mark.parametrize("compression", ["zlib", "lzw"])
def test_compressed_files_are_read(tmp_path, compression):
    tifffile.imwrite(tmp_path / "a.tif", PLANE, compression=compression)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").array, PLANE)


def test_missing_file(tmp_path):
    assert "no such file" in refusal(tmp_path / "absent.tif")


@pytest.mark.parametrize("content", [b"", b"II*\0", b"not an image at all" * 50, b"\x89PNG\r\n"])
def test_garbage(tmp_path, content):
    (tmp_path / "a.tif").write_bytes(content)
    message = refusal(tmp_path / "a.tif")
    assert "cannot be read" in message
    assert "export it again as TIFF" in message


def test_folder_in_place_of_a_file(tmp_path):
    assert "cannot be read" in refusal(tmp_path)


@pytest.mark.parametrize("kind", ["plain", "imagej", "ome"])
@pytest.mark.parametrize("part", [0.3, 0.7, 0.9])
def test_truncated_file(tmp_path, rng, kind, part):
    path = tmp_path / ("a.ome.tif" if kind == "ome" else "a.tif")
    array = rng.integers(0, 60000, (64, 64), dtype=np.uint16)
    tifffile.imwrite(path, array, imagej=kind == "imagej")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    assert "truncated" in refusal(path)


@pytest.mark.parametrize("part", [0.5, 0.9])
def test_truncated_stack(tmp_path, rng, part):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, rng.integers(0, 60000, (9, 32, 32), dtype=np.uint16), imagej=True)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    assert "truncated" in refusal(path)


def test_damaged_description(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif", PLANE, description='<OME xmlns="x"><Image><OME>', metadata=None
    )
    assert "cannot be read" in refusal(tmp_path / "a.tif")


@pytest.mark.parametrize("seed", range(40))
def test_flipped_bytes_in_the_header_give_an_image_or_an_input_error(tmp_path, seed):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PLANE, imagej=True, resolution=(10, 10), metadata={"unit": "um"})
    content = bytearray(path.read_bytes())
    chance = np.random.default_rng(seed)
    # the first 8 bytes point to the directory; the directory fills most of the rest
    for place in chance.integers(8, len(content) - PLANE.nbytes, 3):
        content[place] = chance.integers(0, 256)
    path.write_bytes(content)
    try:
        found = read_image(path)
    except InputError as fault:
        assert str(path) in str(fault)
    else:
        assert found.array.ndim == len(found.axes)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_colour_images_are_refused(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "a.tif", np.ones((8, 9, 3), dtype), photometric="rgb")
    message = refusal(tmp_path / "a.tif")
    assert "colour" in message
    assert "(8, 9, 3)" in message


def test_stack_without_named_axes_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.ones((5, 8, 9), np.uint16), metadata=None)
    message = refusal(tmp_path / "a.tif")
    assert "(5, 8, 9)" in message
    assert "axes named" in message


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif"])
def test_several_series_are_refused(tmp_path, name):
    with tifffile.TiffWriter(tmp_path / name) as writer:
        writer.write(PLANE)
        writer.write(PLANE[:5, :6])
    message = refusal(tmp_path / name)
    assert "holds 2 images" in message
    assert "(13, 10), (5, 6)" in message


@pytest.mark.parametrize("kind", ["imagej", "centimetre", "ome"])
def test_pixels_that_are_not_square_are_refused(tmp_path, kind):
    path = tmp_path / ("a.ome.tif" if kind == "ome" else "a.tif")
    if kind == "ome":
        tifffile.imwrite(path, PLANE, metadata={"PhysicalSizeX": 0.1, "PhysicalSizeY": 0.2})
    elif kind == "imagej":
        tifffile.imwrite(path, PLANE, imagej=True, resolution=(10, 5), metadata={"unit": "um"})
    else:
        tifffile.imwrite(
            path, PLANE, metadata=None, resolution=(1e5, 5e4), resolutionunit="CENTIMETER"
        )
    message = refusal(path)
    assert "square" in message
    assert "100" in message
    assert "200" in message


@pytest.mark.parametrize(
    ("name", "axes", "shape", "size_nm"),
    [
        # 51663566 and 33333333 pixels in a million micrometres, as their ImageJ tags say
        ("pairs/sfsrm_mt_x5_offset/hr_storm.tif", "YX", (1280, 1280), 1e9 / 51663566),
        ("sim_raw/dlsim_mt/HER_sim_recon.tif", "YX", (256, 256), 1e9 / 33333333),
        ("beads/beads_confocal_z41.tif", "ZYX", (41, 150, 150), 1e9 / 44460534),
        # 72 dots per inch, and no unit at all
        ("pairs/sfsrm_er_x4/hr_storm.tif", "YX", (2560, 2560), None),
        ("highquality/BPAE_actin.tif", "YX", (680, 1100), None),
    ],
)
def test_public_images(real_images, name, axes, shape, size_nm):
    if not (real_images / name).is_file():
        pytest.skip(f"{name} is not there")
    found = read_image(real_images / name)
    assert (found.axes, found.array.shape) == (axes, shape)
    assert found.pixel_size_nm == (pytest.approx(size_nm, abs=1e-4) if size_nm else None)


@pytest.mark.parametrize(
    ("mode", "channels", "axes"),
    [("composite", 3, "CYX"), ("color", 3, None), ("composite", 2, None)],
)
def test_samples_are_channels_where_imagej_says_so(tmp_path, rng, mode, channels, axes):
    array = rng.integers(0, 4000, (8, 9, 3), dtype=np.uint16)
    text = f"ImageJ=1.53c\nchannels={channels}\nmode={mode}\n"
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, array, photometric="rgb", metadata=None, description=text)
    if axes is None:
        assert "colour" in refusal(path)
    else:
        found = read_image(path)
        assert found.axes == axes
        np.testing.assert_array_equal(found.array, array.transpose(2, 0, 1))


def test_a_public_composite_of_three_channels_is_no_colour_image(real_images):
    path = real_images / "highquality" / "hela_3ch_imagej_composite.tif"
    if not path.is_file():
        pytest.skip("the composite is not there")
    found = read_image(path)
    assert (found.axes, found.array.shape, found.array.dtype) == ("CYX", (3, 512, 672), np.uint16)
    # "The scale of 19.42 pixels per micrometer", says its text
    assert found.pixel_size_nm == pytest.approx(1000 / 19.42, rel=1e-4)
    with pytest.raises(InputError, match=r"has 3 channels \(C=3\)"):
        to_dims(found, 2, "here")
