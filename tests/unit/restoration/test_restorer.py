"""From file to file: axes, sizes and names survive, and pixels are what the network makes."""

import logging

import numpy as np
import pytest
import tifffile
import torch
from networks_to_tile import picture, small_network, untiled
from torch import nn

from crossres.images import Image, read_image, write_image
from crossres.jobs import InputError
from crossres.networks import ModelFile
from crossres.preprocess import Scale, resample, subtract_background
from crossres.restoration import Restorer, Stated
from crossres.restoration.restorer import sampled

SCALES = (Scale(100.0, 50.0), Scale(-3.0, 20.0))


class Passing(nn.Module):
    """Gives back what it is given."""

    stride_px = reach_px = (1, 1)
    pooling_px = None
    live_channels = 1

    def forward(self, x):
        return x * 1


class Leaning(Passing):
    """Gives the pixel to the left: no orientation is like another."""

    reach_px = (1, 1)

    def forward(self, x):
        return torch.cat([x[..., :1], x[..., :-1]], -1)


def restorer(network, dims=2, scales=SCALES, **more):
    """A restorer of one network, or of several."""
    networks = network if isinstance(network, list) else [network]
    known = {"pixel_size_nm": 50.0, "z_step_nm": None, "percentiles_per_image": None}
    known |= {"background": None, "input_pixel_size_nm": None, "interpolation_order": 1}
    known |= {key: more.pop(key) for key in list(more) if key in known}
    about = ModelFile("care", {}, dims, *scales, **known, trained={"channel": "actin"})
    return Restorer([(each, about) for each in networks], **more)


def restored_from(tmp_path, restoring, image, spread=False, **stated):
    write_image(tmp_path / "in.ome.tif", image)
    places = [tmp_path / "out" / f"{name}.ome.tif" for name in ("restored", "spread")]
    restoring.restore_file(
        tmp_path / "in.ome.tif", places[0], places[1] if spread else None, Stated(**stated)
    )
    # nothing but what was asked for is left
    assert len(list(places[0].parent.iterdir())) == 1 + spread
    return [read_image(place) for place in places[: 1 + spread]]


@pytest.mark.parametrize(
    ("axes", "shape"),
    [("YX", (40, 33)), ("TYX", (3, 20, 21)), ("CYX", (2, 20, 21)), ("TCZYX", (2, 3, 2, 16, 17))],
)
def test_every_plane_of_a_stack_is_restored_by_itself(tmp_path, axes, shape):
    network, counts = small_network("care"), picture(shape) * 200
    (found,) = restored_from(tmp_path, restorer(network), Image(counts, axes, 50.0))
    assert (found.axes, found.array.dtype) == (axes, np.float32)
    normalised = ((counts - 100) / 50).reshape(-1, *shape[-2:])
    expected = np.stack([untiled(network, plane) for plane in normalised]) * 20 - 3
    np.testing.assert_allclose(found.array, expected.reshape(shape), atol=1e-3)


@pytest.mark.parametrize(("axes", "shape"), [("ZYX", (6, 20, 21)), ("TCZYX", (2, 2, 5, 16, 17))])
def test_every_volume_of_a_stack_is_restored_by_itself(tmp_path, axes, shape):
    network, counts = small_network("care", 3), picture(shape) * 200
    (found,) = restored_from(tmp_path, restorer(network, 3), Image(counts, axes, 50.0))
    assert found.axes == axes
    normalised = ((counts - 100) / 50).reshape(-1, *shape[-3:])
    expected = np.stack([untiled(network, volume) for volume in normalised]) * 20 - 3
    np.testing.assert_allclose(found.array, expected.reshape(shape), atol=1e-3)


def test_sizes_times_names_and_place_survive(tmp_path):
    array = (picture((2, 3, 4, 9, 8)) * 200).astype(np.uint16)
    image = Image(array, "TCZYX", 50.0, 160.0, ("DAPI", "GFP", "Cy5"), (3, 7), 12.5)
    (found,) = restored_from(tmp_path, restorer(Passing()), image)
    assert found.metadata.channels == ("DAPI", "GFP", "Cy5")
    assert found.corner_px == (3, 7)
    assert (found.pixel_size_nm, found.z_step_nm, found.frame_interval_s) == pytest.approx(
        (50, 160, 12.5)
    )


def test_a_chosen_channel_alone_is_restored(tmp_path):
    array = (picture((3, 9, 8)) * 200).astype(np.uint8)
    image = Image(array, "CYX", 50.0, channels=("DAPI", "GFP", "Cy5"))
    same = (Scale(0.0, 1.0),) * 2
    (found,) = restored_from(tmp_path, restorer(Passing(), scales=same), image, channels=("Cy5", 1))
    assert (found.axes, found.channels) == ("CYX", ("Cy5", "DAPI"))
    np.testing.assert_array_equal(found.array, array[[2, 0]])


def test_that_one_model_restores_every_channel_is_said(tmp_path, caplog):
    image = Image(np.eye(8, dtype=np.uint8) * np.ones((2, 1, 1), np.uint8), "CYX", 50.0)
    with caplog.at_level(logging.INFO, logger="crossres"):
        restored_from(tmp_path, restorer(Passing()), image)
    assert "one model, trained on actin, restores every channel" in caplog.text


@pytest.mark.parametrize("pixel_size_nm", [40.0, 65.0, 100.0])
def test_another_pixel_size_is_resampled_to_the_models_and_back(tmp_path, pixel_size_nm):
    seen = []

    class Watching(Passing):
        def forward(self, x):
            seen.append(x.shape[-2:])
            return super().forward(x)

    y, x = np.mgrid[:50, :61]
    image = (100 + 20 * np.sin(y / 7) * np.cos(x / 9)).astype(np.float32)
    same = (Scale(0.0, 1.0),) * 2
    (found,) = restored_from(
        tmp_path, restorer(Watching(), scales=same), Image(image, "YX", pixel_size_nm)
    )
    # as many pixels of 50 nm as cover the field
    assert seen == [tuple(int(np.ceil(n * pixel_size_nm / 50)) for n in (50, 61))]
    assert found.array.shape == image.shape
    assert found.pixel_size_nm == pytest.approx(pixel_size_nm)
    inner = (slice(6, -6), slice(6, -6))
    np.testing.assert_allclose(found.array[inner], image[inner], atol=0.3)


def test_what_the_network_sees_lies_where_the_papers_resampling_has_it(tmp_path):
    y, x = np.mgrid[:40, :44]
    blob = (1e3 * np.exp(-((y - 17.3) ** 2 + (x - 25.6) ** 2) / 50)).astype(np.float32)
    seen = []

    class Watching(Passing):
        def forward(self, x):
            seen.append(x[0, 0].numpy().copy())
            return super().forward(x)

    same = (Scale(0.0, 1.0),) * 2
    restored_from(tmp_path, restorer(Watching(), scales=same), Image(blob, "YX", 100.0))
    np.testing.assert_allclose(seen[0], resample(blob, 100.0, 50.0, order=3), atol=5)


@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.parametrize("spread", [False, True])
def test_raw_images_of_the_trainings_microscope_become_finer(tmp_path, order, spread, caplog):
    counts = (picture((2, 30, 41)) * 200).astype(np.uint16)
    same = (Scale(0.0, 1.0),) * 2
    restoring = restorer(
        [Passing()] * (1 + spread), scales=same, input_pixel_size_nm=120.0, background=60.5,
        interpolation_order=order,
    )  # fmt: skip
    image = Image(counts, "TYX", 120.0, corner_px=(5, 10))
    (found, *_) = restored_from(tmp_path, restoring, image, spread, background=None)
    expected = [resample(subtract_background(c, 60.5), 120.0, 50.0, order) for c in counts]
    np.testing.assert_allclose(found.array, expected, atol=1e-3)
    assert found.pixel_size_nm == pytest.approx(50)
    assert found.corner_px == (12, 24)
    assert caplog.records == []


@pytest.mark.parametrize(("stated", "expected"), [(None, 40), (0.0, 0), (70.0, 70)])
def test_the_background_is_the_models_or_what_is_stated(tmp_path, stated, expected):
    image = np.arange(100, 400, dtype=np.uint16).reshape(15, 20)
    restoring = restorer(Passing(), scales=(Scale(0.0, 1.0),) * 2, background=40.0)
    (found,) = restored_from(tmp_path, restoring, Image(image, "YX", 50.0), background=stated)
    np.testing.assert_allclose(found.array, image - float(expected), rtol=1e-6)


def test_prepared_fields_have_no_background_left(tmp_path):
    image = Image(np.arange(300, dtype=np.uint16).reshape(15, 20), "YX", 50.0)
    restoring = restorer(Passing(), scales=(Scale(0.0, 1.0),) * 2, background=40.0)
    (found,) = restored_from(tmp_path, restoring, image)
    np.testing.assert_array_equal(found.array, image.array)


def test_percentiles_are_those_without_the_background(tmp_path, rng):
    image = 100 + 50 * rng.random((30, 30)).astype(np.float32)
    seen = []

    class Watching(Passing):
        def forward(self, x):
            seen.append(x[0, 0].numpy().copy())
            return super().forward(x)

    restoring = restorer(Watching(), percentiles_per_image=(10, 90), background=120.0)
    (found,) = restored_from(tmp_path, restoring, Image(image, "YX", 50.0), background=None)
    left = np.clip(image - 120, 0, None)
    low, high = np.percentile(left, [10, 90])
    np.testing.assert_allclose(seen[0], (left - low) / (high - low), atol=1e-5)
    np.testing.assert_allclose(found.array, left, atol=1e-3)


def test_the_z_step_is_resampled_for_a_model_of_volumes(tmp_path):
    seen = []

    class Watching(Passing):
        stride_px = reach_px = (1, 1, 1)

        def forward(self, x):
            seen.append(tuple(x.shape[2:]))
            return super().forward(x)

    image = Image(picture((9, 10, 11)), "ZYX", 50.0, 300.0)
    restoring = restorer(Watching(), 3, z_step_nm=100.0)
    (found,) = restored_from(tmp_path, restoring, image)
    assert seen == [(27, 10, 11)]
    assert (found.array.shape, found.z_step_nm) == ((9, 10, 11), pytest.approx(300))


def test_pixel_sizes_far_from_the_models_are_warned_of_once(tmp_path, caplog):
    image = Image(picture((2, 20, 20)), "TYX", 100.0)
    restoring = restorer(Passing())
    with caplog.at_level(logging.WARNING, logger="crossres"):
        restored_from(tmp_path, restoring, image)
        restored_from(tmp_path, restoring, image)
    (record,) = caplog.records
    assert "100 in the image and 50 in the model" in record.message


@pytest.mark.parametrize("shape", [(20, 33), (37, 16)])
def test_a_self_ensemble_is_the_mean_over_the_eight_orientations(tmp_path, shape):
    image = picture(shape) * 100
    same = (Scale(0.0, 1.0),) * 2
    restoring = restorer(Leaning(), scales=same, self_ensemble=True, tile_px=16)
    mean, spread = restored_from(tmp_path, restoring, Image(image, "YX", 50.0), spread=True)
    p = np.pad(image, 1, mode="edge")
    neighbours = np.stack([p[1:-1, :-2], p[1:-1, 2:], p[:-2, 1:-1], p[2:, 1:-1]])
    np.testing.assert_allclose(mean.array, neighbours.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(spread.array, neighbours.std(axis=0), atol=1e-3)


@pytest.mark.parametrize("pixel_size_nm", [50.0, 80.0])
def test_a_seed_ensemble_gives_mean_and_spread(tmp_path, pixel_size_nm):
    class Twice(Passing):
        def forward(self, x):
            return 2 * x

    image, same = (
        Image(np.full((20, 22), 10, np.uint8), "YX", pixel_size_nm),
        (Scale(0.0, 1.0),) * 2,
    )
    restoring = restorer([Passing(), Twice()], scales=same)
    mean, spread = restored_from(tmp_path, restoring, image, spread=True)
    np.testing.assert_allclose(mean.array, 15, rtol=1e-6)
    np.testing.assert_allclose(spread.array, 5, rtol=1e-6)


@pytest.mark.parametrize(
    ("count", "share", "factors"), [(2, 0.25, (0.25, 0.75)), (3, 0.5, (0.5, 0.25, 0.25))]
)
def test_the_first_model_may_have_another_share_of_the_mean(tmp_path, count, share, factors):
    class Times(Passing):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor

        def forward(self, x):
            return self.factor * x

    image = Image(np.full((20, 22), 10, np.uint8), "YX", 50.0)
    values = 10.0 * np.arange(1, count + 1)
    restoring = restorer(
        [Times(n) for n in range(1, count + 1)], scales=(Scale(0.0, 1.0),) * 2, share=share
    )
    mean, spread = restored_from(tmp_path, restoring, image, spread=True)
    expected = np.average(values, weights=factors)
    variance = np.average((values - expected) ** 2, weights=factors)
    np.testing.assert_allclose(mean.array, expected, rtol=1e-6)
    np.testing.assert_allclose(spread.array, np.sqrt(variance), rtol=1e-6)


def test_models_of_other_scales_are_averaged_in_counts(tmp_path):
    image = Image(np.full((20, 22), 10, np.uint8), "YX", 50.0)
    restoring = restorer([Passing(), Passing()])
    about = restoring.models[0][1]
    other = ModelFile("care", {}, 2, Scale(0.0, 1.0), Scale(0.0, 3.0), about.pixel_size_nm)
    restoring.models[1] = (Passing(), other)
    (mean,) = restored_from(tmp_path, restoring, image)
    # (10 - 100) / 50 * 20 - 3, and 10 * 3
    np.testing.assert_allclose(mean.array, (-39 + 30) / 2, rtol=1e-6)


def test_percentiles_are_those_of_every_frame(tmp_path, rng):
    stack = rng.random((2, 30, 30)).astype(np.float32) * np.array([[[1]], [[100]]], np.float32)

    class Clipping(Passing):
        def forward(self, x):
            return x.clamp(0, 1)

    restoring = restorer(Clipping(), percentiles_per_image=(10, 90))
    (found,) = restored_from(tmp_path, restoring, Image(stack, "TYX", 50.0))
    low, high = np.percentile(stack, [10, 90], axis=(1, 2))[..., None, None]
    np.testing.assert_allclose(found.array, np.clip(stack, low, high), rtol=1e-4)


def test_all_pixels_are_sampled_where_they_are_few(rng):
    image = rng.random((30, 40))
    np.testing.assert_array_equal(np.sort(sampled(image)), np.sort(image.ravel()))


@pytest.mark.parametrize(
    ("shape", "most", "every"), [((3000, 1000), 10**6, 2), ((40, 300, 300), 10**5, 4)]
)
def test_every_kth_pixel_along_all_axes_is_sampled_where_they_are_many(shape, most, every):
    image = np.arange(np.prod(shape), dtype=np.int64).reshape(shape)
    expected = image[(slice(None, None, every),) * len(shape)]
    np.testing.assert_array_equal(sampled(image, most), expected.ravel())
    assert expected.size <= most


def test_a_constant_frame_has_no_percentiles(tmp_path):
    stack = np.stack([np.eye(9), np.ones((9, 9))]).astype(np.float32)
    restoring = restorer(Passing(), percentiles_per_image=(2, 99))
    with pytest.raises(
        InputError, match=r"in.ome.tif, frame T 2 of 2: .* check that it is not constant"
    ):
        restored_from(tmp_path, restoring, Image(stack, "TYX", 50.0))
    assert list((tmp_path / "out").iterdir()) == []


def test_nan_is_refused_by_the_name_of_the_file(tmp_path):
    image = picture((9, 9))
    image[2, 3] = np.nan
    with pytest.raises(InputError, match=r"in.ome.tif: holds 1 NaN or Inf pixels"):
        restored_from(tmp_path, restorer(Passing()), Image(image, "YX", 50.0))


def test_a_model_that_gives_nan_is_named_with_the_image(tmp_path):
    class Broken(Passing):
        def forward(self, x):
            return x / 0

    image = Image(picture((2, 9, 9)), "TYX", 50.0)
    expected = r"in.ome.tif, frame T 1 of 2: the model gives NaN or Inf"
    with pytest.raises(InputError, match=expected):
        restored_from(tmp_path, restorer(Broken()), image)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_model_of_volumes_is_not_given_a_time_lapse(tmp_path):
    image = Image(picture((4, 9, 9)), "TYX", 50.0)
    with pytest.raises(InputError, match="has axes TYX; the model restores volumes with Z, Y, X"):
        restored_from(tmp_path, restorer(small_network("care", 3), 3), image)


def test_out_of_memory_ends_by_the_same_sentence_for_files(tmp_path):
    class Full(Passing):
        def forward(self, x):
            raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(InputError, match="the memory does not suffice"):
        restored_from(tmp_path, restorer(Full()), Image(picture((9, 9)), "YX", 50.0))
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_files_of_other_programs_are_read_window_by_window(tmp_path, compression):
    stack = (picture((3, 2, 30, 31)) * 200).astype(">u2")
    tifffile.imwrite(
        tmp_path / "a.tif", stack, imagej=compression is None, compression=compression,
        ome=compression is not None, resolution=(20, 20), byteorder=">",
        metadata={"axes": "ZCYX", "unit": "um", "spacing": 0.3, "PhysicalSizeX": 0.05,
                  "PhysicalSizeY": 0.05},
    )  # fmt: skip
    same = (Scale(0.0, 1.0),) * 2
    restorer(Passing(), scales=same).restore_file(tmp_path / "a.tif", tmp_path / "b.ome.tif")
    found = read_image(tmp_path / "b.ome.tif")
    assert found.axes == "CZYX"
    np.testing.assert_array_equal(found.array, stack.transpose(1, 0, 2, 3))


@pytest.mark.parametrize(
    ("name", "stated", "axes", "shape"),
    [
        (
            "timelapse/cancer_cell_migration_t48.tif",
            Stated(50.0, axes="TYX"),
            "TYX",
            (48, 130, 130),
        ),
        ("highquality/hela_3ch_imagej_composite.tif", Stated(), "CYX", (3, 512, 672)),
        (
            "highquality/hela_3ch_imagej_composite.tif",
            Stated(channels=(1, 3)),
            "CYX",
            (2, 512, 672),
        ),
        ("beads/beads_confocal_z41.tif", Stated(), "ZYX", (41, 150, 150)),
    ],
)
def test_public_stacks_keep_their_axes_and_sizes(real_images, tmp_path, name, stated, axes, shape):
    if not (real_images / name).is_file():
        pytest.skip(f"{name} is not there")
    before = read_image(real_images / name, stated.axes)
    restoring = restorer(small_network("care"), pixel_size_nm=before.pixel_size_nm or 50.0)
    restoring.restore_file(real_images / name, tmp_path / "a.ome.tif", stated=stated)
    found = read_image(tmp_path / "a.ome.tif")
    assert (found.axes, found.array.shape, found.array.dtype) == (axes, shape, np.float32)
    assert found.pixel_size_nm == pytest.approx(before.pixel_size_nm or 50.0)
    assert found.z_step_nm == (pytest.approx(before.z_step_nm) if "Z" in axes else None)
    assert found.frame_interval_s == before.frame_interval_s
    assert np.isfinite(found.array).all()
