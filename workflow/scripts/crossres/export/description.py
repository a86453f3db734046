"""The description of a package: what other programs need to run a model."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from crossres import __version__
from crossres.catalogue.networks import NETWORKS
from crossres.export.page import legal_name, nickname, subtracted_inside
from crossres.export.tile_sizes import TileAxis
from crossres.networks import ModelFile

FORMAT_VERSION = "0.5.4"
"""Of the model description. From 0.5.11 on, covers and documentation are mappings, but deepImageJ
expects strings. Readers of a later 0.5 read this one too."""

RELEASED = "2026-11-20T00:00:00+00:00"
"""The time stamp of a package: when this version of crossres was released. With the time of
writing, two packages of one model would differ."""

TOLERANCE = 1e-4
"""How far TorchScript may differ from the network, as a fraction of the output's range."""

BATCH = {"type": "batch", "id": "batch", "size": 1}
"""Programs restore tile by tile; a free batch size would triple the time of the test."""

CLIP = {"id": "clip", "kwargs": {"min": 0.0, "max": float(np.finfo(np.float32).max)}}
"""Clips at 0 after the background is subtracted. Earlier readers of the format need both ends."""


def describe(
    model_file: ModelFile, axes: Sequence[TileAxis], files: Mapping[str, bytes], title: str
) -> dict[str, Any]:
    """Return the description of a package, as it is written to rdf.yaml.

    Parameters
    ----------
    model_file
        Description of the model.
    axes
        Image sizes that it takes.
    files
        Contents of weights.pt, test_input.npy and test_output.npy, by name.
    title
        Of the experiment.
    """
    network = NETWORKS[model_file.network]
    simulated = model_file.trained.get("data") == "simulated"
    weights = {**_entry(files, "weights.pt"), "pytorch_version": torch.__version__.split("+")[0]}
    return {
        "format_version": FORMAT_VERSION,
        "type": "model",
        "name": legal_name(model_file, title),
        "description": f"{title}. Predicts the image of a better microscope from that of a lesser "
        f"one, with the network {model_file.network}."
        + (" Trained on simulated images." if simulated else ""),
        "version": __version__,
        "timestamp": RELEASED,
        "authors": [{"name": "The crossres authors"}],
        "cite": [{"text": network.citation, "doi": network.doi}],
        "license": "BSD-3-Clause",
        "tags": ["fluorescence-light-microscopy", "image-restoration", "super-resolution"]
        + [f"{model_file.dims}d", "pytorch", model_file.network]
        + ([model_file.trained["data"]] if "data" in model_file.trained else []),
        "links": ["deepimagej/deepimagej", "ilastik/ilastik"],
        "documentation": "documentation.md",
        "covers": ["cover.png"],
        **_tensors(model_file, axes, files),
        "weights": {"torchscript": weights},
        "config": {
            # deepImageJ stores models under the nickname, and opens none without
            "bioimageio": {"nickname": nickname(model_file, title), **_tolerance(files)},
            "crossres": {
                "pixel_size_nm": model_file.pixel_size_nm,
                "z_step_nm": model_file.z_step_nm,
                "background": model_file.background,
                "input_pixel_size_nm": model_file.input_pixel_size_nm,
                "interpolation_order": model_file.interpolation_order,
                "network": model_file.network,
                "settings": model_file.settings,
                "trained": model_file.trained,
            },
        },
    }


def _entry(files: Mapping[str, bytes], name: str) -> dict[str, str]:
    return {"source": name, "sha256": hashlib.sha256(files[name]).hexdigest()}


def _tensors(
    model_file: ModelFile, axes: Sequence[TileAxis], files: Mapping[str, bytes]
) -> dict[str, list[dict[str, Any]]]:
    """The one input and the one output tensor."""
    before, after = _processing(model_file, axes)
    given = {
        "id": "input",
        "description": "image of the lesser microscope, in counts",
        "axes": _input_axes(axes, model_file),
        "data": {"type": "float32"},
        "preprocessing": before,
        "test_tensor": _entry(files, "test_input.npy"),
    }
    returned = {
        "id": "output",
        "description": "predicted image of the better microscope",
        "axes": _output_axes(axes, model_file),
        "data": {"type": "float32"},
        "postprocessing": after,
        "test_tensor": _entry(files, "test_output.npy"),
    }
    return {"inputs": [given], "outputs": [returned]}


def _tolerance(files: Mapping[str, bytes]) -> dict[str, list[dict[str, float]]]:
    """How far the test output may be off: convolutions differ a little between machines.

    The format allows at most a hundredth of the largest value.
    """
    output = np.load(io.BytesIO(files["test_output.npy"]))
    absolute = float(max(0.0, min(TOLERANCE * np.ptp(output), 0.005 * output.max())))
    return {
        "reproducibility_tolerance": [{"relative_tolerance": 1e-3, "absolute_tolerance": absolute}]
    }


def _processing(
    model_file: ModelFile, axes: Sequence[TileAxis]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The steps that normalise an input, and those that bring an output back to counts."""
    background = subtracted_inside(model_file)
    subtracting = [*_linear(1.0, -background), CLIP] if background else []
    if model_file.percentiles_per_image is not None:
        low, high = model_file.percentiles_per_image
        whole = ["channel", *(axis.name for axis in axes)]
        settings = {"axes": whole, "min_percentile": low, "max_percentile": high}
        return [{"id": "scale_range", "kwargs": settings}], []
    before, after = model_file.input_scale, model_file.target_scale
    return (
        subtracting + _linear(1 / before.span, -before.offset / before.span),
        _linear(after.span, after.offset),
    )


def _linear(gain: float, offset: float) -> list[dict[str, Any]]:
    """A linear step; none if it changes nothing, which the format does not allow."""
    if (gain, offset) == (1.0, 0.0):
        return []
    return [{"id": "scale_linear", "kwargs": {"gain": float(gain), "offset": float(offset)}}]


def _input_axes(axes: Sequence[TileAxis], model_file: ModelFile) -> list[dict[str, Any]]:
    space = [
        {
            **_space(axis, model_file),
            "size": {"min": axis.min_px, "step": axis.step_px},
            "concatenable": axis.halo_px > 0,
        }
        for axis in axes
    ]
    return [dict(BATCH), _channel("input"), *space]


def _output_axes(axes: Sequence[TileAxis], model_file: ModelFile) -> list[dict[str, Any]]:
    space = [
        {
            **_space(axis, model_file),
            "size": {"tensor_id": "input", "axis_id": axis.name},
            **({"halo": axis.halo_px} if axis.halo_px else {}),
        }
        for axis in axes
    ]
    return [dict(BATCH), _channel("restored"), *space]


def _channel(name: str) -> dict[str, Any]:
    return {"type": "channel", "id": "channel", "channel_names": [name]}


def _space(axis: TileAxis, model_file: ModelFile) -> dict[str, Any]:
    """An axis in pixels; the description and ``config`` state their size.

    The format has ``scale`` for it. But deepImageJ takes that for the ratio of output to input and
    divides the halo by it; and bioimageio.spec multiplies and divides sizes by it and rounds down,
    so that 88 pixels of 0.03 micrometres become 87.
    """
    size_nm = model_file.z_step_nm if axis.name == "z" else model_file.pixel_size_nm
    known = {} if size_nm is None else {"description": f"pixels of {size_nm:g} nm"}
    return {"type": "space", "id": axis.name, **known}
