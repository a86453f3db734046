"""A trained model as a bioimage.io package, which Fiji (deepImageJ), ilastik and napari open.

The model.safetensors of a training stays what the workflow itself restores with. The package holds
the same weights a second time as TorchScript, the one format that all three programs run. This
is no way round the rule against pickle: a TorchScript archive is read by torch's own reader, which
knows tensors and TorchScript classes alone and never runs Python.
"""

import gc
import io
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import yaml
from torch import Tensor

from crossres.jobs import InputError, written_aside
from crossres.networks.files import ModelFile
from crossres.networks.image_network import ImageNetwork
from crossres.networks.package_description import TOLERANCE, describe
from crossres.networks.package_page import cover_image, subtracted_inside, written_page
from crossres.networks.tile_sizes import TileAxis, tile_axes
from crossres.preprocess import subtract_background

DESCRIPTION = "rdf.yaml"
"""The name under which every reader looks for the description, deepImageJ for no other."""

ARCHIVE_DATE = (1980, 1, 1, 0, 0, 0)


def write_package(
    path: str | Path, network: ImageNetwork, about: ModelFile, sample: np.ndarray, title: str
) -> None:
    """Write a model as a bioimage.io package that bioimageio.core's own test passes.

    Parameters
    ----------
    path
        Where to; the file gets this name only after it has passed.
    network
        On the CPU, ready to restore.
    about
        Description of the model.
    sample
        (Y, X) or (Z, Y, X), float32 counts: an input image as the network is trained on, with the
        training's pixel size and without the background. Its middle becomes the test image, to
        which the background is added again where the package subtracts it.
    title
        What the model restores, for people.

    Raises
    ------
    InputError
        The sample is of the wrong dimensions, TorchScript does not follow the network to other
        sizes of image, or bioimageio.core's test fails.
    """
    path = Path(path)
    if sample.ndim != about.dims:
        raise InputError(
            f"{path}: the sample image has {sample.ndim} dimensions and the model works on "
            f"{about.dims}; give it an image as the model is trained on"
        )
    axes = tile_axes(network, sample.shape)
    counts = middle(sample, [axis.test_px for axis in axes]).astype(np.float32)
    try:
        before, after = about.scales_of(counts)
    except ValueError as error:
        raise InputError(
            f"{path}: the middle of the sample image cannot be normalised ({error}); give it an "
            "image that shows something"
        ) from error
    normalised = torch.from_numpy(before.apply(counts))[None, None]
    weights = traced_weights(network, normalised)
    _require_any_size(path, network, weights, before.apply(sample), axes)
    background = subtracted_inside(about)
    if background:
        counts = counts + np.float32(background)
        left = subtract_background(counts, background)
        normalised = torch.from_numpy(before.apply(left))[None, None]
    with torch.inference_mode():
        restored = network(normalised)[0, 0].numpy()
    if about.percentiles_per_image is None:
        restored = after.invert(restored)
    files = {
        "weights.pt": weights,
        "test_input.npy": _npy(counts[None, None]),
        "test_output.npy": _npy(restored[None, None]),
        "cover.png": cover_image(counts, restored),
        "documentation.md": written_page(about, axes, title).encode(),
    }
    text = yaml.safe_dump(
        describe(about, axes, files, title), sort_keys=False, allow_unicode=True, width=100
    )
    with written_aside(path) as aside:
        _zip(aside, {DESCRIPTION: text.encode(), **files})
        check_package(aside, path)


def check_package(archive: Path, path: Path | None = None) -> None:
    """Run bioimageio.core's own test of a package.

    It validates the description, reproduces the test output, and runs the model at several sizes.

    Parameters
    ----------
    archive
        The package.
    path
        What it is called in the error, where it has not got its name yet.

    Raises
    ------
    InputError
        The test fails.
    """
    with warnings.catch_warnings():
        _ignore_torchscript_warnings()
        from bioimageio.core import test_model

        # it collects garbage after each model; what was there before need not be looked through
        gc.freeze()
        try:
            # opened here: given a path, it leaves the file open
            with zipfile.ZipFile(archive) as opened:
                summary = test_model(opened, weight_format="torchscript", devices=["cpu"])
        finally:
            gc.unfreeze()
    if summary.status != "passed":
        faults = [
            f"{detail.name}: {' '.join(error.msg.split())}"
            for detail in summary.details
            for error in detail.errors
        ]
        raise InputError(
            f"{path or archive}: bioimageio.core's test of this package fails ("
            f"{(faults or [summary.status])[0][:300]}); the model itself is unharmed: delete the "
            "package and export it again, and report the fault if it stays"
        )


def middle(sample: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Return the middle of an image in a given shape, mirrored at its edges where it is smaller."""
    missing = [max(0, wanted - n) for n, wanted in zip(sample.shape, shape, strict=True)]
    whole = np.pad(sample, [(m // 2, m - m // 2) for m in missing], mode="symmetric")
    corner = [(n - wanted) // 2 for n, wanted in zip(whole.shape, shape, strict=True)]
    return whole[tuple(slice(c, c + n) for c, n in zip(corner, shape, strict=True))]


def traced_weights(network: ImageNetwork, image: Tensor) -> bytes:
    """Return a network as a TorchScript archive, recorded while it maps an image.

    Parameters
    ----------
    network
        On the CPU.
    image
        (1, 1, [Z,] Y, X), normalised.
    """
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        _ignore_torchscript_warnings()
        # compared with the network at another size afterwards, which says more
        traced = torch.jit.trace(network, image, check_trace=False)
        torch.jit.save(traced, buffer)
    return _without_source_paths(buffer.getvalue())


def _require_any_size(
    path: Path, network: ImageNetwork, weights: bytes, image: np.ndarray, axes: Sequence[TileAxis]
) -> None:
    """Compare the archive with the network on an image of another size than it was traced at."""
    # no two axes are made larger by the same number of steps
    shape = [axis.test_px + order * axis.step_px for order, axis in enumerate(axes, start=1)]
    other = torch.from_numpy(middle(image, shape).copy())[None, None]
    with warnings.catch_warnings(), torch.inference_mode():
        _ignore_torchscript_warnings()
        expected = network(other)
        try:
            found = torch.jit.load(io.BytesIO(weights))(other)
            fault = "" if found.shape == expected.shape else f"shape {tuple(found.shape)}"
        except RuntimeError as error:
            fault = str(error).strip().splitlines()[-1]
    if not fault:
        difference, range_ = float((found - expected).abs().max()), float(np.ptp(expected.numpy()))
        fault = "" if difference <= TOLERANCE * range_ else f"{difference:.2g} of {range_:.2g} off"
    if fault:
        raise InputError(
            f"{path}: this network cannot be exported: as TorchScript it does not follow images of "
            f"another size, {tuple(shape)} ({fault}); use its model.safetensors with this "
            "workflow, and report the network as one that cannot be traced"
        )


def _ignore_torchscript_warnings() -> None:
    """TorchScript is deprecated in torch, but it is what the readers of a package run."""
    warnings.filterwarnings("ignore", message=r"`torch\.jit\.", category=DeprecationWarning)
    warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)


def _without_source_paths(archive: bytes) -> bytes:
    """Leave out what names the files of this machine; the code and the weights stay."""
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        records = {
            name: source.read(name)
            for name in source.namelist()
            if not name.endswith((".debug_pkl", "/.data/serialization_id"))
        }
    buffer = io.BytesIO()
    _zip(buffer, records, zipfile.ZIP_STORED)
    return buffer.getvalue()


def _zip(target: Path | io.BytesIO, files: dict[str, bytes], method: int = 8) -> None:
    """Write files to an archive whose bytes depend on names and contents alone."""
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, ARCHIVE_DATE)
            info.compress_type = method
            archive.writestr(info, content)


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array, dtype=np.float32), allow_pickle=False)
    return buffer.getvalue()
