"""Patches and validation fields on disk: one safetensors file each."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from crossres.jobs import written_aside
from crossres.preprocess import Scale

PLAIN = ("pixel_size_nm", "background", "input_pixel_size_nm", "interpolation_order")
"""What is stored as it is, beside the images and their scales."""


@dataclass(frozen=True)
class Patches:
    """The patches of the training fields, or the whole validation fields.

    Parameters
    ----------
    inputs, targets
        Patches: (N, [Z,] Y, X) float32, normalised. Fields: a list of ([Z,] Y, X) of any sizes.
    scales
        ``input`` and ``target``: what normalised them.
    pixel_size_nm
        Of both.
    percentiles_per_image
        The percentiles by which every image was scaled by itself; None where ``scales`` did.
    background, input_pixel_size_nm, interpolation_order
        What was done to the raw inputs, as :class:`crossres.networks.ModelFile` has it.
    """

    inputs: np.ndarray | list[np.ndarray]
    targets: np.ndarray | list[np.ndarray]
    scales: dict[str, Scale]
    pixel_size_nm: float
    percentiles_per_image: tuple[float, float] | None = None
    background: float | None = None
    input_pixel_size_nm: float | None = None
    interpolation_order: int = 1


def save_patches(path: str | Path, patches: Patches) -> None:
    """Write patches as safetensors, whole or not at all.

    The same patches always give the same bytes.
    """
    text: dict[str, Any] = {role: [s.offset, s.span] for role, s in patches.scales.items()}
    text |= {key: getattr(patches, key) for key in (*PLAIN, "percentiles_per_image")}
    tensors: dict[str, np.ndarray] = {}
    for role, images in (("input", patches.inputs), ("target", patches.targets)):
        stacked = isinstance(images, np.ndarray)
        named = {role: images} if stacked else {f"{role}.{i:05d}": f for i, f in enumerate(images)}
        tensors |= {k: np.ascontiguousarray(v, dtype=np.float32) for k, v in named.items()}
    with written_aside(path) as aside:
        # one entry alone: safetensors writes several in an order of chance
        save_file(tensors, aside, metadata={"crossres": json.dumps(text, sort_keys=True)})


def load_patches(path: str | Path) -> Patches:
    """Read what :func:`save_patches` wrote."""
    with safe_open(path, framework="np") as file:
        text = json.loads(file.metadata()["crossres"])
        names = sorted(file.keys())

        def images(role: str) -> np.ndarray | list[np.ndarray]:
            if role in names:
                return file.get_tensor(role)
            return [file.get_tensor(name) for name in names if name.startswith(f"{role}.")]

        return Patches(
            inputs=images("input"),
            targets=images("target"),
            scales={role: Scale(*text[role]) for role in ("input", "target")},
            percentiles_per_image=tuple(own) if (own := text["percentiles_per_image"]) else None,
            **{key: text[key] for key in PLAIN},
        )
