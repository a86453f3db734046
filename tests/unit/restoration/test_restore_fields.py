"""A batch of fields restored by the script, images and volumes, and what is collected of it."""

import numpy as np
import pytest
from networks_to_tile import picture, small_network, untiled, write_model

from collect_restored import collect_restored
from crossres.images import Image, fields_in, read_image, write_image
from crossres.settings import Restoration
from restore_fields import restore_fields

SIZES = {2: ("YX", (40, 33), None), 3: ("ZYX", (6, 40, 33), 150.0)}


@pytest.fixture
def batches(tmp_path):
    """Two batches of resampled fields, of either number of dimensions."""

    def write(dims):
        axes, shape, z_step_nm = SIZES[dims]
        for number, name in enumerate(("a", "b", "01")):
            folder = tmp_path / "resampled" / f"test_00{number // 2}"
            image = Image(picture(shape, number) * 100, axes, 50.0, z_step_nm)
            write_image(folder / f"{name}.ome.tif", image)
        return sorted((tmp_path / "resampled").iterdir())

    return write


def models(tmp_path, dims, count=1):
    z_step_nm = SIZES[dims][2]
    networks = [small_network("care", dims, seed) for seed in range(count)]
    paths = [
        write_model(tmp_path / f"{n}.safetensors", network, "care", dims, z_step_nm=z_step_nm)
        for n, network in enumerate(networks)
    ]
    return networks, paths


def restored(tmp_path, folder, paths, share=None, **settings):
    place = tmp_path / "restored_batches" / folder.name
    restore_fields(paths, fields_in([folder]), Restoration(**settings), share, "cpu", 1, place)
    return place


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("tile_px", [None, 16])
def test_fields_are_what_the_network_makes_of_them(tmp_path, batches, dims, tile_px):
    folder = batches(dims)[0]
    (network,), paths = models(tmp_path, dims)
    place = restored(tmp_path, folder, paths, tile_px=tile_px)
    assert sorted(path.name for path in place.iterdir()) == ["a.ome.tif", "b.ome.tif"]
    for path in fields_in([folder]):
        image, found = read_image(path), read_image(place / path.name)
        assert found.metadata == image.metadata
        expected = 100 * untiled(network, image.array / np.float32(100))
        np.testing.assert_allclose(found.array, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize(("count", "self_ensemble"), [(2, False), (1, True)])
def test_the_spread_of_an_ensemble_lies_in_the_batch(tmp_path, batches, dims, count, self_ensemble):
    folder = batches(dims)[0]
    _, paths = models(tmp_path, dims, count)
    place = restored(tmp_path, folder, paths, self_ensemble=self_ensemble)
    names = ["a.ome.tif", "b.ome.tif"]
    assert sorted(path.name for path in place.iterdir()) == [*names, "spread"]
    assert [path.name for path in fields_in([place / "spread"])] == names
    spread = read_image(place / "spread" / "a.ome.tif")
    assert spread.metadata == read_image(place / "a.ome.tif").metadata
    assert spread.array.min() >= 0 < spread.array.max()


@pytest.fixture
def two_batches(tmp_path):
    """Two restored batches with their spreads, and what else may lie in such folders."""
    folders = [tmp_path / "batches" / name for name in ("test_000", "test_001")]
    for folder, names in zip(folders, (("a", "b"), ("c",)), strict=True):
        (folder / "spread").mkdir(parents=True)
        (folder / ".snakemake_timestamp").touch()
        for name in names:
            (folder / f"{name}.ome.tif").write_text(name)
            (folder / "spread" / f"{name}.ome.tif").write_text(f"spread of {name}")
    return folders


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


COLLECTED = {f"{name}.ome.tif": name for name in "abc"} | {
    f"spread/{name}.ome.tif": f"spread of {name}" for name in "abc"
}


def test_all_batches_are_collected_without_being_copied(tmp_path, two_batches):
    place = tmp_path / "restored" / "cnn"
    collect_restored(two_batches, place)
    assert contents(place) == COLLECTED
    assert (place / "a.ome.tif").samefile(two_batches[0] / "a.ome.tif")
    assert [path.name for path in place.parent.iterdir()] == ["cnn"]


def test_they_are_copied_where_files_cannot_be_linked(tmp_path, two_batches, monkeypatch):
    def refuse(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", refuse)
    collect_restored(two_batches, tmp_path / "cnn")
    assert contents(tmp_path / "cnn") == COLLECTED


def test_without_spreads_there_is_no_folder_of_them(tmp_path, two_batches):
    for folder in two_batches:
        for path in (folder / "spread").iterdir():
            path.unlink()
        (folder / "spread").rmdir()
    collect_restored(two_batches, tmp_path / "cnn")
    assert set(contents(tmp_path / "cnn")) == {"a.ome.tif", "b.ome.tif", "c.ome.tif"}
    assert not (tmp_path / "cnn" / "spread").exists()


def test_a_folder_that_is_there_is_replaced_as_a_whole(tmp_path, two_batches):
    place = tmp_path / "cnn"
    for folder in (place, tmp_path / ".cnn.partial"):
        folder.mkdir()
        (folder / "old.ome.tif").touch()
    collect_restored(two_batches, place)
    assert contents(place) == COLLECTED


def test_what_cannot_be_finished_bears_no_name(tmp_path, two_batches):
    (two_batches[1] / "c.ome.tif").rename(two_batches[1] / "a.ome.tif")
    with pytest.raises(FileExistsError):
        collect_restored(two_batches, tmp_path / "cnn")
    assert not (tmp_path / "cnn").exists()
