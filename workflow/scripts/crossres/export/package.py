"""A trained model as a bioimage.io package, which Fiji (deepImageJ), ilastik and napari open.

The workflow itself restores with model.safetensors. The package holds the same weights as
TorchScript, the one format that all three programs run. This keeps the rule against pickle:
torch's own reader of TorchScript archives knows only tensors and TorchScript classes and never
runs Python.
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

from crossres.export.description import TOLERANCE, describe
from crossres.export.page import cover_image, subtracted_inside, written_page
from crossres.export.tile_sizes import TileAxis, tile_axes
from crossres.jobs import InputError, written_aside
from crossres.networks import ImageNetwork, ModelFile
from crossres.preprocess import subtract_background

DESCRIPTION = "rdf.yaml"
"""Every reader looks for a description of this name, and deepImageJ for no other."""

ARCHIVE_DATE = (1980, 1, 1, 0, 0, 0)


def write_package(
    path: str | Path, network: ImageNetwork, model_file: ModelFile, sample: np.ndarray, title: str
) -> None:
    """Write a model as a bioimage.io package that bioimageio.core's own test passes.

    Parameters
    ----------
    path
        Where to write; the file gets this name only after it has passed.
    network
        On the CPU, ready to restore.
    model_file
        Description of the model.
    sample
        (Y, X) or (Z, Y, X), float32 counts: an input image like those of the training, with its
        pixel size and without the background. Its middle becomes the test image; if the package
        subtracts the background, it is added again.
    title
        Of the experiment.

    Raises
    ------
    InputError
        The sample has the wrong dimensions, TorchScript differs from the network at other image
        sizes, or bioimageio.core's test fails.
    """
    path = Path(path)
    if sample.ndim != model_file.dims:
        raise InputError(
            f"{path}: the sample image has {sample.ndim} dimensions and the model works on "
            f"{model_file.dims}; give it an image as the model is trained on"
        )
    axes = tile_axes(network, sample.shape)
    counts = middle(sample, [axis.test_px for axis in axes]).astype(np.float32)
    try:
        before, after = model_file.scales_of(counts)
    except ValueError as error:
        raise InputError(
            f"{path}: the middle of the sample image cannot be normalised ({error}); give it an "
            "image that shows something"
        ) from error
    normalised = torch.from_numpy(before.apply(counts))[None, None]
    weights = traced_weights(network, normalised)
    _require_any_size(path, network, weights, before.apply(sample), axes)
    background = subtracted_inside(model_file)
    if background:
        counts = counts + np.float32(background)
        left = subtract_background(counts, background)
        normalised = torch.from_numpy(before.apply(left))[None, None]
    with torch.inference_mode():
        restored = network(normalised)[0, 0].numpy()
    if model_file.percentiles_per_image is None:
        restored = after.invert(restored)
    files = {
        "weights.pt": weights,
        "test_input.npy": _npy(counts[None, None]),
        "test_output.npy": _npy(restored[None, None]),
        "cover.png": cover_image(counts, restored),
        "documentation.md": written_page(model_file, axes, title).encode(),
    }
    text = yaml.safe_dump(
        describe(model_file, axes, files, title), sort_keys=False, allow_unicode=True, width=100
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
        Its name in the error, if it has not got it yet.

    Raises
    ------
    InputError
        The test fails.
    """
    with warnings.catch_warnings():
        _ignore_torchscript_warnings()
        from bioimageio.core import test_model

        # it collects garbage after each model; older objects need not be searched
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
    """Return the middle of an image in a given shape; smaller images are mirrored at the edges."""
    missing = [max(0, wanted - n) for n, wanted in zip(sample.shape, shape, strict=True)]
    whole = np.pad(sample, [(m // 2, m - m // 2) for m in missing], mode="symmetric")
    corner = [(n - wanted) // 2 for n, wanted in zip(whole.shape, shape, strict=True)]
    return whole[tuple(slice(c, c + n) for c, n in zip(corner, shape, strict=True))]


def traced_weights(network: ImageNetwork, image: Tensor) -> bytes:
    """Return a network as a TorchScript archive, traced on an image.

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
        # compared with the network at another size afterwards, a stronger check
        traced = torch.jit.trace(network, image, check_trace=False)  # type: ignore[no-untyped-call]
        torch.jit.save(traced, buffer)
    return _without_source_paths(buffer.getvalue())


def _require_any_size(
    path: Path, network: ImageNetwork, weights: bytes, image: np.ndarray, axes: Sequence[TileAxis]
) -> None:
    """Compare the archive with the network at another size than it was traced at."""
    # each axis grows by another number of steps
    shape = [axis.test_px + order * axis.step_px for order, axis in enumerate(axes, start=1)]
    other = torch.from_numpy(middle(image, shape).copy())[None, None]
    with warnings.catch_warnings(), torch.inference_mode():
        _ignore_torchscript_warnings()
        expected = network(other)
        try:
            traced = torch.jit.load(io.BytesIO(weights))  # type: ignore[no-untyped-call]
            found = traced(other)
            fault = "" if found.shape == expected.shape else f"shape {tuple(found.shape)}"
        except RuntimeError as error:
            fault = str(error).strip().splitlines()[-1]
    if not fault:
        difference, range_ = float((found - expected).abs().max()), float(np.ptp(expected.numpy()))
        fault = "" if difference <= TOLERANCE * range_ else f"{difference:.2g} of {range_:.2g} off"
    if fault:
        raise InputError(
            f"{path}: this network cannot be exported: as TorchScript it fails on images of "
            f"another size, {tuple(shape)} ({fault}); use its model.safetensors with this "
            "workflow, and report the network as one that cannot be traced"
        )


def _ignore_torchscript_warnings() -> None:
    """TorchScript is deprecated in torch, but readers of a package run it."""
    warnings.filterwarnings("ignore", message=r"`torch\.jit\.", category=DeprecationWarning)
    warnings.filterwarnings(
        "ignore",
        category=torch.jit.TracerWarning,  # type: ignore[attr-defined]
    )


def _without_source_paths(archive: bytes) -> bytes:
    """Leave out what names files of this machine; code and weights stay."""
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
    """Write files to an archive whose bytes depend only on names and contents."""
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, ARCHIVE_DATE)
            info.compress_type = method
            archive.writestr(info, content)


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array, dtype=np.float32), allow_pickle=False)
    return buffer.getvalue()
