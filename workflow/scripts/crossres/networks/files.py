"""A trained model in one file: weights and all that is needed to use them."""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from crossres.jobs import InputError, written_aside
from crossres.networks.image_network import ImageNetwork
from crossres.networks.registry import POOLING, build
from crossres.preprocess import Scale, scale_from_percentiles

HASH = "sha256"
"""Key of the hash of weights and description in a model file."""

HASH_OF_WEIGHTS = "weights_sha256"
"""Key of that of the weights alone, in older files."""

AGAIN = "copy it again, or train it again"


@dataclass(frozen=True)
class ModelFile:
    """What a model file says about its model, beside the weights.

    Parameters
    ----------
    network
        Name in the registry.
    settings
        Keyword arguments it was built with, JSON values only.
    dims
        2 for images, 3 for volumes.
    input_scale, target_scale
        Scales of the training data: the first normalises inputs, the second brings outputs back
        to the target's counts.
    pixel_size_nm
        Of the training data.
    percentiles_per_image
        If given, each image is normalised by its own percentiles instead of by the scales, and
        an output is brought back to the counts of its input.
    z_step_nm
        Distance of the training data's slices; None for images.
    trained
        Facts about the training, JSON values only: experiment, channel, seed, iterations,
        validation scores, whether the data are simulated.
    background
        Counts subtracted from the raw inputs first, clipped at 0; None if none were.
    input_pixel_size_nm
        Of the raw inputs, before they were resampled to ``pixel_size_nm``; older model files do
        not store it.
    interpolation_order
        Of the spline that resampled them.
    input_z_step_nm
        Distance of the raw inputs' slices; None for images, and in older model files.
    """

    network: str
    settings: dict[str, Any]
    dims: int
    input_scale: Scale
    target_scale: Scale
    pixel_size_nm: float
    percentiles_per_image: tuple[float, float] | None = None
    z_step_nm: float | None = None
    trained: dict[str, Any] = field(default_factory=dict)
    background: float | None = None
    input_pixel_size_nm: float | None = None
    interpolation_order: int = 1
    input_z_step_nm: float | None = None

    def scales_of(self, image: np.ndarray) -> tuple[Scale, Scale]:
        """Return the scale that normalises an image, and the one inverted on its restoration."""
        if self.percentiles_per_image is None:
            return self.input_scale, self.target_scale
        own = scale_from_percentiles(image, *self.percentiles_per_image)
        return own, own


def save_model(path: str | Path, weights: Mapping[str, Tensor], model_file: ModelFile) -> None:
    """Write weights and description as one safetensors file, whole or not at all.

    The same weights and description always give the same bytes.
    """
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    # a single entry: safetensors writes several in random order
    fields = asdict(model_file)
    fields[HASH] = _hash_of(contiguous, fields)
    description = {"crossres": json.dumps(fields, sort_keys=True)}
    with written_aside(path) as aside:
        aside.write_bytes(save(contiguous, description))


def load_model(path: str | Path) -> tuple[ImageNetwork, ModelFile]:
    """Return the network with its weights, ready to restore, and its description.

    Raises
    ------
    InputError
        The file is missing, damaged or not written by this workflow, or its weights or its
        description are such as no training gives.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: there is no such model file; train it first")
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get("crossres")
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: {_what_else(path, error)}") from error
    if text is None:
        raise InputError(
            f"{path}: holds no description of its network; it was not written by crossres"
        )
    try:
        fields = {**json.loads(text)}
        written = {key: fields.pop(key, None) for key in (HASH, HASH_OF_WEIGHTS)}
        told = dict(fields)
        scales = {name: Scale(**fields[name]) for name in ("input_scale", "target_scale")}
        model_file = ModelFile(**{**fields, **scales})
        if model_file.percentiles_per_image is not None:  # JSON knows no tuples
            low, high = model_file.percentiles_per_image
            model_file = replace(model_file, percentiles_per_image=(low, high))
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"{path}: the description of its network is damaged or of another version ({error}); "
            f"{AGAIN}"
        ) from error
    # older files have one hash or none
    if written[HASH_OF_WEIGHTS] not in (None, _hash_of(weights)):
        raise InputError(
            f"{path}: its weights are not those that were written, as their sha256 says; {AGAIN}"
        )
    if written[HASH] not in (None, _hash_of(weights, told)):
        raise InputError(
            f"{path}: its weights or its description are not those that were written, as their "
            f"sha256 says; {AGAIN}"
        )
    if wrong := _impossible(model_file):
        raise InputError(f"{path}: its description says {wrong}, which cannot be; {AGAIN}")
    bad = sum(int(torch.count_nonzero(~torch.isfinite(tensor))) for tensor in weights.values())
    if bad:
        raise InputError(f"{path}: {bad} of its weights are NaN or Inf; {AGAIN}")
    try:
        # without memory, until the weights turn out to be of the shapes that it describes
        with torch.device("meta"):
            network = build(model_file.network, model_file.dims, **model_file.settings)
    except (InputError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: the network it describes cannot be built ({error}); {AGAIN}"
        ) from error
    try:
        network.load_state_dict(weights, assign=True)
    except RuntimeError as error:
        raise InputError(
            f"{path}: its weights are not those of a {model_file.network} with "
            f"{model_file.settings}; {AGAIN}"
        ) from error
    return network.eval().requires_grad_(False), model_file


def initial_weights(
    path: Path, network: str, dims: int, settings: Mapping[str, Any]
) -> dict[str, Tensor]:
    """Return the weights of a model to be fine-tuned, if its architecture is the one wanted.

    The field that attention pools over belongs to the patches, not to the weights.

    Parameters
    ----------
    path
        The model file.
    network, dims, settings
        What is to be trained: name, dimensions, and keyword arguments of
        :func:`crossres.networks.build`.

    Raises
    ------
    InputError
        The file cannot be read, or its architecture is another one.
    """
    model, model_file = load_model(path)
    found, wanted = (
        {key: value for key, value in one.items() if key != POOLING}
        for one in (model_file.settings, settings)
    )
    if (model_file.network, model_file.dims, found) != (network, dims, wanted):
        raise InputError(
            f"networks.{network}.initialise_from: {path} is a {model_file.dims}D "
            f"{model_file.network} with {found}; expected a {dims}D {network} with {wanted}: give "
            "both experiments the same architecture"
        )
    return model.state_dict()


def _what_else(path: Path, error: Exception) -> str:
    """Say what an unreadable file is, and what to do."""
    kind = ""
    if path.suffix in (".pt", ".pth"):
        kind = "a PyTorch file"
    elif path.suffix == ".zip" or zipfile.is_zipfile(path):
        kind = "a bioimage.io package"
    if kind:
        return f"is {kind}; give the model.safetensors beside it"
    return f"is no complete safetensors file ({error}); {AGAIN}"


def _impossible(model_file: ModelFile) -> str:
    """Return what of a description no training gives, nothing where all is possible."""
    scales = {"input_scale": model_file.input_scale, "target_scale": model_file.target_scale}
    numbers = {
        f"{name}.{key}": value for name, s in scales.items() for key, value in vars(s).items()
    }
    lengths = ("pixel_size_nm", "z_step_nm", "input_pixel_size_nm", "input_z_step_nm")
    numbers |= {name: getattr(model_file, name) for name in (*lengths, "background")}
    for name, value in numbers.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            return f"{name} {value!r}"
        if value <= 0 and name.endswith(("span", "_nm")):
            return f"{name} {value!r}"
    if model_file.interpolation_order not in range(6):
        return f"interpolation_order {model_file.interpolation_order!r}"
    return ""


def _hash_of(weights: dict[str, Tensor], fields: Mapping[str, Any] | None = None) -> str:
    """Return the sha256 of tensors on the CPU with names, types and shapes, and a description."""
    digest = hashlib.sha256()
    if fields is not None:
        digest.update(json.dumps(fields, sort_keys=True).encode())
    for name, tensor in sorted(weights.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def clone_weights(network: nn.Module) -> dict[str, Tensor]:
    """Return a copy of a network's weights on the CPU."""
    return {name: torch.clone(t.detach()).cpu() for name, t in network.state_dict().items()}
