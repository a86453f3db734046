"""Patches on disk: one safetensors file a split, memory-mapped when read."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from crossres.jobs import written_aside
from crossres.preprocess import Scale


@dataclass(frozen=True)
class Patches:
    """The patches of one split.

    Parameters
    ----------
    inputs, targets
        (N, Y, X) float32, normalised.
    scales
        ``input`` and ``target``: what normalised them.
    pixel_size_nm
        Of both.
    percentiles_per_image
        The percentiles by which every image was scaled by itself; None where ``scales`` did.
    """

    inputs: np.ndarray
    targets: np.ndarray
    scales: dict[str, Scale]
    pixel_size_nm: float
    percentiles_per_image: tuple[float, float] | None = None


def save_patches(path: str | Path, patches: Patches) -> None:
    """Write patches as safetensors, whole or not at all.

    The same patches always give the same bytes.
    """
    text: dict[str, Any] = {role: [s.offset, s.span] for role, s in patches.scales.items()}
    text["pixel_size_nm"] = patches.pixel_size_nm
    text["percentiles_per_image"] = patches.percentiles_per_image
    tensors = {
        "input": np.ascontiguousarray(patches.inputs, dtype=np.float32),
        "target": np.ascontiguousarray(patches.targets, dtype=np.float32),
    }
    with written_aside(path) as aside:
        # one entry alone: safetensors writes several in an order of chance
        save_file(tensors, aside, metadata={"crossres": json.dumps(text, sort_keys=True)})


def load_patches(path: str | Path) -> Patches:
    """Read what :func:`save_patches` wrote."""
    with safe_open(path, framework="np") as file:
        text = json.loads(file.metadata()["crossres"])
        return Patches(
            inputs=file.get_tensor("input"),
            targets=file.get_tensor("target"),
            scales={role: Scale(*text[role]) for role in ("input", "target")},
            pixel_size_nm=text["pixel_size_nm"],
            percentiles_per_image=tuple(own) if (own := text["percentiles_per_image"]) else None,
        )
