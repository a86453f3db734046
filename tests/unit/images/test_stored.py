import errno

import numpy as np
import pytest

from crossres.images import StoredArray, slabs
from crossres.jobs import InputError

SHAPES = [(7,), (5, 8), (3, 4, 6), (2, 3, 4, 5)]


@pytest.fixture(params=["whole", "in pieces"])
def mapped(request, monkeypatch):
    """Map large parts of a file at once, or only some bytes."""
    if request.param == "in pieces":
        monkeypatch.setattr("crossres.images.stored.MAPPED_BYTES", 24)


def stored(path, array, order=None):
    """Write an array after a header of 12 bytes."""
    path.write_bytes(b"x" * 12 + array.tobytes())
    return StoredArray(path, array.dtype, array.shape, 12, order)


WINDOWS = [
    (),
    (slice(1, 2),),
    (slice(None), slice(1, 4)),
    (1,),
    (-1, slice(0, 3)),
    (..., slice(1, 3)),
    (..., 2),
    (slice(2, 2),),
    (np.int64(1), ..., slice(0, 2)),
]


@pytest.mark.parametrize("shape", SHAPES[1:])
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("dtype", ["u1", ">u2", "<f4"])
@pytest.mark.usefixtures("mapped")
def test_windows_are_those_of_the_array(rng, tmp_path, shape, window, dtype):
    array = (rng.random(shape) * 200).astype(dtype)
    np.testing.assert_array_equal(stored(tmp_path / "a", array)[window], array[window])


@pytest.mark.parametrize("shape", SHAPES[1:])
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.usefixtures("mapped")
def test_windows_are_written_and_nothing_else(rng, tmp_path, shape, window):
    array = rng.random(shape)
    found = stored(tmp_path / "a", array)
    values = rng.random(array[window].shape)
    array[window] = values
    found[window] = values
    np.testing.assert_array_equal(found[...], array)
    assert (tmp_path / "a").read_bytes()[:12] == b"x" * 12


@pytest.mark.usefixtures("mapped")
def test_axes_come_in_the_order_that_is_asked_for(rng, tmp_path):
    array = rng.random((3, 2, 4, 5))
    found = stored(tmp_path / "a", array, (1, 0, 2, 3))
    assert found.shape == (2, 3, 4, 5)
    np.testing.assert_array_equal(found[1, :, 1:3], array.transpose(1, 0, 2, 3)[1, :, 1:3])
    found[0, 2] = 7
    assert (array.transpose(1, 0, 2, 3) != found[...]).sum() == 20


def test_a_single_value_fills_a_window(tmp_path):
    found = StoredArray.create(tmp_path / "a", np.uint16, (4, 5))
    found[1:3, 2:] = 9
    assert found[...].sum() == 9 * 6


def test_what_is_read_is_a_copy(tmp_path):
    found = StoredArray.create(tmp_path / "a", np.float32, (4, 5))
    part = found[1:2]
    part[...] = 3
    assert not found[...].any()


def test_a_new_file_is_zero_and_has_its_room_on_the_disk(tmp_path):
    (tmp_path / "a").write_bytes(b"before" * 10**6)
    found = StoredArray.create(tmp_path / "a", np.float32, (100, 100, 100))
    assert not found[..., 3:5].any()
    assert (tmp_path / "a").stat().st_size == found.nbytes
    assert (tmp_path / "a").stat().st_blocks * 512 >= found.nbytes


def no_room(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def not_supported(*_):
    raise OSError(errno.EOPNOTSUPP, "Operation not supported")


def test_a_file_that_the_disk_has_no_room_for_is_refused_and_deleted(tmp_path, monkeypatch):
    monkeypatch.setattr("os.posix_fallocate", no_room)
    with pytest.raises(InputError, match=r"/a: needs 8e-05 GB, and .* GB are free in "):
        StoredArray.create(tmp_path / "a", np.float32, (4, 5000))
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("how", ["not supported", "not there"])
def test_where_no_room_can_be_reserved_the_free_room_is_asked_for(tmp_path, monkeypatch, how):
    if how == "not there":
        monkeypatch.delattr("os.posix_fallocate")
    else:
        monkeypatch.setattr("os.posix_fallocate", not_supported)
    assert not StoredArray.create(tmp_path / "a", np.float32, (4, 5))[...].any()
    with pytest.raises(InputError, match=r"/b: needs 4e\+09 GB"):
        StoredArray.create(tmp_path / "b", np.float32, (10**9, 10**9))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("slab_px", [1, 5, 20, 10**6])
def test_slabs_cover_every_pixel_once(shape, slab_px):
    count = np.zeros(shape, int)
    for window in slabs(shape, slab_px):
        assert len(window) == len(shape)
        count[window] += 1
        assert count[window].size <= slab_px
    assert (count == 1).all()
