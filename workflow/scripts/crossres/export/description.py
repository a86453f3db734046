"""The description of a package: what other programs must know to run a model."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from crossres import __version__
from crossres.networks.files import ModelFile
from crossres.networks.package_page import PAPERS, legal_name, nickname, subtracted_inside
from crossres.networks.tile_sizes import TileAxis

FORMAT_VERSION = "0.5.4"
"""Of the model description. From 0.5.11 on, covers and documentation are mappings; deepImageJ
takes these two for plain strings. Every reader of a later 0.5 reads this one."""

RELEASED = "2026-11-20T00:00:00+00:00"
"""The time stamp of a package: when this version of crossres came out. The time of writing would
make two packages of one model differ."""

TOLERANCE = 1e-4
"""How far TorchScript may differ from the network, in parts of the range of an output."""

BATCH = {"type": "batch", "id": "batch", "size": 1}
"""Programs give one tile after the other. A free size would triple the time of the test."""

CLIP = {"id": "clip", "kwargs": {"min": 0.0, "max": float(np.finfo(np.float32).max)}}
"""What is left of an image without its background. Earlier readers of the format want both ends."""


def describe(
    about: ModelFile, axes: Sequence[TileAxis], files: Mapping[str, bytes], title: str
) -> dict[str, Any]:
    """Return the description of a package, as it is written to rdf.yaml.

    Parameters
    ----------
    about
        Description of the model.
    axes
        Sizes it is given.
    files
        Contents of weights.pt, test_input.npy and test_output.npy, by name.
    title
        What the model restores.
    """
    paper, doi = PAPERS[about.network]
    simulated = about.trained.get("data") == "simulated"
    weights = {**_entry(files, "weights.pt"), "pytorch_version": torch.__version__.split("+")[0]}
    return {
        "format_version": FORMAT_VERSION,
        "type": "model",
        "name": legal_name(about, title),
        "description": f"{title}. What one microscope sees, restored by the network "
        f"{about.network} to what a better one would have shown."
        + (" Trained on simulated images." if simulated else ""),
        "version": __version__,
        "timestamp": RELEASED,
        "authors": [{"name": "The crossres authors"}],
        "cite": [{"text": paper, "doi": doi}],
        "license": "BSD-3-Clause",
        "tags": ["fluorescence-light-microscopy", "image-restoration", "super-resolution"]
        + [f"{about.dims}d", "pytorch", about.network]
        + ([about.trained["data"]] if "data" in about.trained else []),
        "links": ["deepimagej/deepimagej", "ilastik/ilastik"],
        "documentation": "documentation.md",
        "covers": ["cover.png"],
        **_tensors(about, axes, files),
        "weights": {"torchscript": weights},
        "config": {
            # deepImageJ files models under the nickname, and opens none without
            "bioimageio": {"nickname": nickname(about, title), **_tolerance(files)},
            "crossres": {
                "pixel_size_nm": about.pixel_size_nm,
                "z_step_nm": about.z_step_nm,
                "background": about.background,
                "input_pixel_size_nm": about.input_pixel_size_nm,
                "interpolation_order": about.interpolation_order,
                "network": about.network,
                "settings": about.settings,
                "trained": about.trained,
            },
        },
    }


def _entry(files: Mapping[str, bytes], name: str) -> dict[str, str]:
    return {"source": name, "sha256": hashlib.sha256(files[name]).hexdigest()}


def _tensors(
    about: ModelFile, axes: Sequence[TileAxis], files: Mapping[str, bytes]
) -> dict[str, list[dict[str, Any]]]:
    """The one input and the one output."""
    before, after = _processing(about, axes)
    given = {
        "id": "input",
        "description": "what the lesser microscope sees, in counts",
        "axes": _input_axes(axes, about),
        "data": {"type": "float32"},
        "preprocessing": before,
        "test_tensor": _entry(files, "test_input.npy"),
    }
    returned = {
        "id": "output",
        "description": "what the better microscope would have shown",
        "axes": _output_axes(axes, about),
        "data": {"type": "float32"},
        "postprocessing": after,
        "test_tensor": _entry(files, "test_output.npy"),
    }
    return {"inputs": [given], "outputs": [returned]}


def _tolerance(files: Mapping[str, bytes]) -> dict[str, list[dict[str, float]]]:
    """How far the test output may be off: another machine's convolutions differ a little.

    The format allows at most a hundredth of the largest value.
    """
    output = np.load(io.BytesIO(files["test_output.npy"]))
    absolute = float(max(0.0, min(TOLERANCE * np.ptp(output), 0.005 * output.max())))
    return {
        "reproducibility_tolerance": [{"relative_tolerance": 1e-3, "absolute_tolerance": absolute}]
    }


def _processing(
    about: ModelFile, axes: Sequence[TileAxis]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What normalises an input, and what brings an output back to counts."""
    background = subtracted_inside(about)
    subtracting = [*_linear(1.0, -background), CLIP] if background else []
    if about.percentiles_per_image is not None:
        low, high = about.percentiles_per_image
        whole = ["channel", *(axis.name for axis in axes)]
        settings = {"axes": whole, "min_percentile": low, "max_percentile": high}
        return [{"id": "scale_range", "kwargs": settings}], []
    before, after = about.input_scale, about.target_scale
    return (
        subtracting + _linear(1 / before.span, -before.offset / before.span),
        _linear(after.span, after.offset),
    )


def _linear(gain: float, offset: float) -> list[dict[str, Any]]:
    """A linear step; none where it changes nothing, which the format does not allow."""
    if (gain, offset) == (1.0, 0.0):
        return []
    return [{"id": "scale_linear", "kwargs": {"gain": float(gain), "offset": float(offset)}}]


def _input_axes(axes: Sequence[TileAxis], about: ModelFile) -> list[dict[str, Any]]:
    space = [
        {
            **_space(axis, about),
            "size": {"min": axis.min_px, "step": axis.step_px},
            "concatenable": axis.halo_px > 0,
        }
        for axis in axes
    ]
    return [dict(BATCH), _channel("input"), *space]


def _output_axes(axes: Sequence[TileAxis], about: ModelFile) -> list[dict[str, Any]]:
    space = [
        {
            **_space(axis, about),
            "size": {"tensor_id": "input", "axis_id": axis.name},
            **({"halo": axis.halo_px} if axis.halo_px else {}),
        }
        for axis in axes
    ]
    return [dict(BATCH), _channel("restored"), *space]


def _channel(name: str) -> dict[str, Any]:
    return {"type": "channel", "id": "channel", "channel_names": [name]}


def _space(axis: TileAxis, about: ModelFile) -> dict[str, Any]:
    """An axis in pixels; their size is told in words, and in ``config``.

    The format has a ``scale`` for it. But deepImageJ takes that for the ratio of output to input
    and divides the halo by it, and bioimageio.spec rounds sizes down that were multiplied and
    divided by it, so that 88 pixels of 0.03 micrometres become 87.
    """
    size_nm = about.z_step_nm if axis.name == "z" else about.pixel_size_nm
    known = {} if size_nm is None else {"description": f"pixels of {size_nm:g} nm"}
    return {"type": "space", "id": axis.name, **known}
