import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from exported_models import (
    TITLE,
    model,
    photons,
    restored_by_crossres,
    restored_by_package,
)

from crossres.catalogue.networks import NETWORKS
from crossres.export import check_package, write_package
from crossres.export import package as writing
from crossres.export.package import middle
from crossres.export.tile_sizes import tile_axes
from crossres.jobs import InputError
from crossres.networks import ImageNetwork
from crossres.preprocess import subtract_background

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings(r"ignore:`torch\.jit\.:DeprecationWarning"),
]

REPOSITORY = Path(__file__).resolve().parents[3]
KINDS = [(name, dims) for name, known in sorted(NETWORKS.items()) for dims in known.dims]
SAMPLE_PX = {2: (48, 56), 3: (6, 40, 44)}


@pytest.fixture(scope="module", autouse=True)
def small_tiles():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("crossres.export.tile_sizes.USEFUL_PX", 8)
        patch.setattr("crossres.export.tile_sizes.TEST_PX", {2: (32, 32), 3: (4, 16, 16)})
        yield


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Return (path, network, model_file) of a written package; each is written once."""
    written = {}

    def package(name, dims=2, **model_file):
        key = (name, dims, str(model_file))
        if key not in written:
            path = tmp_path_factory.mktemp("package") / "model.bioimageio.zip"
            network, description = model(name, dims, **model_file)
            write_package(path, network, description, photons(*SAMPLE_PX[dims]), TITLE)
            written[key] = (path, network, description)
        return written[key]

    return package


def contents(path):
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def described(path):
    return yaml.safe_load(contents(path)["rdf.yaml"])


@pytest.mark.parametrize(("name", "dims"), KINDS)
def test_a_package_restores_another_size_as_the_workflow_does(exported, name, dims):
    # write_package has let bioimageio.core's own test judge it before
    path, network, model_file = exported(name, dims)
    axes = tile_axes(network, SAMPLE_PX[dims])
    counts = photons(*(axis.min_px + (n + 1) * axis.step_px for n, axis in enumerate(axes)))
    expected = restored_by_crossres(network, model_file, counts)
    found = restored_by_package(path, counts)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * np.ptp(expected))


def test_normalised_by_its_own_percentiles_an_image_is_returned_without_counts(exported):
    path, network, model_file = exported("cnn", percentiles_per_image=(2.0, 99.9))
    counts = 3 * photons(52, 44)
    expected = restored_by_crossres(network, model_file, counts)
    found = restored_by_package(path, counts)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * np.ptp(expected))


def test_a_background_is_subtracted_as_the_workflow_does(exported):
    path, network, model_file = exported("cnn", background=450.5)
    given = np.load(io.BytesIO(contents(path)["test_input.npy"]))
    sample = middle(photons(*SAMPLE_PX[2]), given.shape[2:])
    np.testing.assert_array_equal(given[0, 0], sample + np.float32(450.5))
    # nearly half of these pixels lie below it
    counts = photons(52, 44)
    expected = restored_by_crossres(network, model_file, counts)
    found = restored_by_package(path, counts)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * np.ptp(expected))


def test_before_percentiles_the_background_is_left_to_the_user(exported):
    path, network, model_file = exported("cnn", percentiles_per_image=(2.0, 99.9), background=450.5)
    counts = photons(52, 44)
    expected = restored_by_crossres(network, model_file, counts)
    found = restored_by_package(path, subtract_background(counts, 450.5))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * np.ptp(expected))


def test_scales_of_one_are_left_out(tmp_path):
    from crossres.preprocess import Scale

    network, model_file = model("cnn", input_scale=Scale(0.0, 1.0), target_scale=Scale(0.0, 1.0))
    path = tmp_path / "model.bioimageio.zip"
    write_package(path, network, model_file, photons(40, 40), TITLE)
    assert described(path)["inputs"][0]["preprocessing"] == []
    assert described(path)["outputs"][0]["postprocessing"] == []


@pytest.mark.parametrize("name", ["gan", "care"])
def test_the_halo_leaves_nothing_of_a_tiles_border(exported, name):
    path, network, model_file = exported(name)
    y, x = tile_axes(network, SAMPLE_PX[2])
    counts = photons(2 * y.halo_px + 2 * y.min_px, 2 * x.halo_px + 2 * x.min_px)
    whole = restored_by_crossres(network, model_file, counts)
    tiled = restored_by_package(path, counts, (y.min_px, x.min_px))
    # beyond the image's edge bioimageio.core mirrors it, and this workflow sees zeros
    inside = (slice(y.halo_px, -y.halo_px), slice(x.halo_px, -x.halo_px))
    np.testing.assert_allclose(tiled[inside], whole[inside], rtol=0, atol=1e-4 * np.ptp(whole))


def test_attention_in_tiles_is_that_of_the_whole_image_but_for_their_margins(exported):
    path, network, model_file = exported("rcan")
    y, x = tile_axes(network, SAMPLE_PX[2])
    counts = photons(4 * y.min_px, 4 * x.min_px)
    whole = restored_by_crossres(network, model_file, counts)
    tiled = restored_by_package(path, counts, (2 * y.min_px, 2 * x.min_px))
    inside = (slice(y.halo_px, -y.halo_px), slice(x.halo_px, -x.halo_px))
    assert np.std((tiled - whole)[inside]) < 0.01 * np.ptp(whole[inside])


def altered(path, folder, **changes):
    """A copy of a package with other contents, and no checksums that would tell."""
    files = contents(path)
    files["rdf.yaml"] = re.sub(rb" +sha256: .*\n", b"", files["rdf.yaml"])
    files |= {name.replace("__", "."): content for name, content in changes.items()}
    copy = folder / "altered.zip"
    with zipfile.ZipFile(copy, "w") as package:
        for name, content in files.items():
            package.writestr(name, content)
    return copy


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def test_a_package_passes_the_test_of_other_programs(exported, tmp_path):
    check_package(exported("cnn")[0])
    check_package(altered(exported("cnn")[0], tmp_path))


def test_an_output_that_is_not_the_models_is_refused(exported, tmp_path):
    path = exported("cnn")[0]
    output = np.load(io.BytesIO(contents(path)["test_output.npy"]))
    output[0, 0, 5:10, 5:10] += 0.01 * np.ptp(output)
    broken = altered(path, tmp_path, test_output__npy=npy(output))
    with pytest.raises(InputError, match=r"altered\.zip: bioimageio.core's test.*export it again"):
        check_package(broken)


def test_a_description_that_other_programs_cannot_read_is_refused(exported, tmp_path):
    description = described(exported("cnn")[0])
    del description["weights"]
    broken = altered(exported("cnn")[0], tmp_path, rdf__yaml=yaml.safe_dump(description).encode())
    with pytest.raises(InputError, match="test of this package fails"):
        check_package(broken)


def test_a_package_that_fails_gets_no_name(tmp_path, monkeypatch):
    def refuse(archive, path):
        assert archive != path
        raise InputError(f"{path}: fails")

    monkeypatch.setattr(writing, "check_package", refuse)
    network, model_file = model("cnn")
    path = tmp_path / "model.bioimageio.zip"
    with pytest.raises(InputError, match="fails"):
        write_package(path, network, model_file, photons(40, 40), TITLE)
    assert not path.exists()


class AsWide(ImageNetwork):
    """Multiplies by the width that it was recorded at."""

    def __init__(self):
        super().__init__((1, 1), (1, 1), 1)

    def forward(self, x):
        return x * float(int(x.shape[-1]))


class Cropped(AsWide):
    """Knows one size alone."""

    def forward(self, x):
        return x + torch.zeros(int(x.shape[-2]), int(x.shape[-1]))


@pytest.mark.parametrize("network", [AsWide(), Cropped()], ids=["value", "shape"])
def test_a_network_that_remembers_a_size_is_not_exported(tmp_path, network):
    path = tmp_path / "model.bioimageio.zip"
    with pytest.raises(InputError, match=r"cannot be exported.*another size") as fault:
        write_package(path, network, model("cnn")[1], photons(40, 40), TITLE)
    assert str(path) in str(fault.value)
    assert list(tmp_path.iterdir()) == []


def test_a_sample_of_other_dimensions_is_refused(tmp_path):
    network, model_file = model("cnn")
    with pytest.raises(InputError, match="3 dimensions and the model works on 2"):
        write_package(tmp_path / "m.zip", network, model_file, photons(4, 40, 40), TITLE)


def test_a_sample_that_shows_nothing_is_refused(tmp_path):
    network, model_file = model("cnn", percentiles_per_image=(2.0, 99.9))
    with pytest.raises(InputError, match=r"cannot be normalised.*shows something"):
        write_package(tmp_path / "m.zip", network, model_file, np.full((40, 40), 7.0), TITLE)


def test_the_test_image_is_the_middle_of_the_sample(exported):
    path, network, _ = exported("cnn")
    found = np.load(io.BytesIO(contents(path)["test_input.npy"]))
    height, width = (axis.test_px for axis in tile_axes(network, SAMPLE_PX[2]))
    assert found.shape == (1, 1, height, width)
    top, left = ((n - m) // 2 for n, m in zip(SAMPLE_PX[2], (height, width), strict=True))
    sample = photons(*SAMPLE_PX[2])
    np.testing.assert_array_equal(found[0, 0], sample[top : top + height, left : left + width])


def test_a_smaller_sample_is_mirrored():
    found = middle(np.array([[1, 2, 3]]), (1, 7))
    np.testing.assert_array_equal(found, [[2, 1, 1, 2, 3, 3, 2]])


def test_one_model_gives_one_package(exported, tmp_path):
    network, model_file = model("cnn")
    again = tmp_path / "again.zip"
    write_package(again, network, model_file, photons(*SAMPLE_PX[2]), TITLE)
    first, second = contents(exported("cnn")[0]), contents(again)
    # torch counts the recordings of one process in the names of its classes
    for files in (first, second):
        del files["weights.pt"]
        files["rdf.yaml"] = re.sub(rb"(weights\.pt\n +sha256): .*", rb"\1", files["rdf.yaml"])
    assert first == second


def test_a_package_names_no_file_of_this_machine(exported):
    for path in (exported("rcan")[0], exported("dfcan")[0]):
        files = contents(path)
        with zipfile.ZipFile(io.BytesIO(files["weights.pt"])) as weights:
            files |= {name: weights.read(name) for name in weights.namelist()}
        for name, content in files.items():
            for place in (REPOSITORY, Path(torch.__file__).parent, Path.home()):
                assert str(place).encode() not in content, name


@pytest.mark.parametrize(("name", "dims"), KINDS)
def test_a_recorded_network_is_bound_to_no_device(exported, name, dims):
    weights = contents(exported(name, dims)[0])["weights.pt"]
    with zipfile.ZipFile(io.BytesIO(weights)) as archive:
        records = {record.filename: record.file_size for record in archive.infolist()}
        code = [archive.read(record).decode() for record in records if record.endswith(".py")]
    assert code
    assert not any("torch.device(" in text for text in code)
    # recorded on the CPU: single numbers go with tensors of any device, larger ones would not
    assert all(size <= 8 for record, size in records.items() if "/constants/" in record)
