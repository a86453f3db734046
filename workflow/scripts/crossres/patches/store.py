"""Patches and validation fields on disk: one safetensors file each, of any size.

A file is written piece by piece and read by memory map, so that neither needs memory for all of it.
Format: the length of the header (8 bytes, little-endian), the header (JSON), the tensors in its
order (https://github.com/huggingface/safetensors).
"""

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from crossres.jobs import written_aside
from crossres.patches.noise import TargetNoise
from crossres.preprocess import Scale

ALIGNMENT = 8
"""Tensors begin at a multiple of so many bytes."""


@dataclass(frozen=True)
class Preparation:
    """What was done to the images before they were patches.

    Parameters
    ----------
    scales
        ``input`` and ``target``: what normalised them.
    pixel_size_nm
        Of both.
    percentiles_per_image
        The percentiles by which every image was scaled by itself; None where ``scales`` did.
    background, input_pixel_size_nm, interpolation_order
        What was done to the raw inputs, as :class:`crossres.networks.ModelFile` has it.
    z_step_nm
        Of both; None of images.
    noise
        Of the target's camera; None where it is not known.
    """

    scales: dict[str, Scale]
    pixel_size_nm: float
    percentiles_per_image: tuple[float, float] | None = None
    background: float | None = None
    input_pixel_size_nm: float | None = None
    interpolation_order: int = 1
    z_step_nm: float | None = None
    noise: TargetNoise | None = None


@dataclass(frozen=True, kw_only=True)
class PatchSet(Preparation):
    """The patches of the training fields, or the whole validation fields.

    Parameters
    ----------
    inputs, targets
        Patches: (N, [Z,] Y, X) float32, normalised. Fields: a list of ([Z,] Y, X) of any sizes.
    """

    inputs: np.ndarray | list[np.ndarray]
    targets: np.ndarray | list[np.ndarray]

    @property
    def preparation(self) -> Preparation:
        """What was done to them."""
        return Preparation(**{f.name: getattr(self, f.name) for f in fields(Preparation)})


@contextmanager
def patches_to_fill(
    path: str | Path, shapes: Mapping[str, tuple[int, ...]], preparation: Preparation
) -> Iterator[Callable[[str, np.ndarray], None]]:
    """Give a function that writes tensors piece by piece; rename the file when all is there.

    The same patches give the same bytes.

    Parameters
    ----------
    path
        Where to; folders are made.
    shapes
        Of all tensors: ``input`` and ``target``, or ``input.00000`` and so on.
    preparation
        What is stored with them.

    Yields
    ------
    callable
        Of a tensor's name and what follows along its first axis, stored as float32.

    Raises
    ------
    ValueError
        A tensor was given less or more than its shape holds.
    """
    ends = np.cumsum([4 * int(np.prod(shapes[name], dtype=np.int64)) for name in sorted(shapes)])
    header: dict[str, Any] = {"__metadata__": {"crossres": _as_text(preparation)}}
    starts = {}
    for name, start, end in zip(sorted(shapes), [0, *ends], ends, strict=False):
        offsets = [int(start), int(end)]
        header[name] = {"dtype": "F32", "shape": [*shapes[name]], "data_offsets": offsets}
        starts[name] = offsets
    encoded = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    encoded += b" " * (-len(encoded) % ALIGNMENT)
    first = 8 + len(encoded)
    with written_aside(path) as aside, aside.open("wb") as file:
        file.write(struct.pack("<Q", len(encoded)) + encoded)

        def append(name: str, array: np.ndarray) -> None:
            piece = np.ascontiguousarray(array, dtype="<f4")
            start, end = starts[name]
            if start + piece.nbytes > end:
                raise ValueError(f"{name} is given more than its shape {shapes[name]} holds")
            file.seek(first + start)
            file.write(piece.data)
            starts[name][0] += piece.nbytes

        yield append
        unfilled = [name for name, (start, end) in starts.items() if start < end]
        if unfilled:
            raise ValueError(f"{unfilled[0]} is given less than its shape holds")


def save_patches(path: str | Path, patches: PatchSet) -> None:
    """Write patches that are in memory as safetensors, whole or not at all."""
    tensors: dict[str, np.ndarray] = {}
    for role, images in (("input", patches.inputs), ("target", patches.targets)):
        if isinstance(images, np.ndarray):
            tensors[role] = images
        else:
            tensors |= {tensor_name(role, n): image for n, image in enumerate(images)}
    shapes = {name: array.shape for name, array in tensors.items()}
    with patches_to_fill(path, shapes, patches.preparation) as append:
        for name, array in tensors.items():
            append(name, array)


def tensor_name(role: str, number: int) -> str:
    """Return the name of a whole field in the file, by its number from 0."""
    return f"{role}.{number:05d}"


def load_patches(path: str | Path) -> PatchSet:
    """Read what was written, by memory map: pixels are read when they are looked at."""
    with Path(path).open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    text = json.loads(header.pop("__metadata__")["crossres"])
    # one map for all: each holds a file open
    mapped = np.asarray(np.memmap(path, "<f4", "r", offset=8 + length))

    def tensor(name: str) -> np.ndarray:
        start, end = (offset // 4 for offset in header[name]["data_offsets"])
        return mapped[start:end].reshape(header[name]["shape"])

    def images(role: str) -> np.ndarray | list[np.ndarray]:
        if role in header:
            return tensor(role)
        return [tensor(name) for name in sorted(header) if name.startswith(f"{role}.")]

    own, noise = text.pop("percentiles_per_image"), text.pop("noise")
    return PatchSet(
        inputs=images("input"),
        targets=images("target"),
        scales={role: Scale(**scale) for role, scale in text.pop("scales").items()},
        percentiles_per_image=None if own is None else (own[0], own[1]),
        noise=None if noise is None else TargetNoise.from_dict(noise),
        **text,
    )


def _as_text(preparation: Preparation) -> str:
    """Return a preparation as JSON; one entry alone, as safetensors' order of several is chance."""
    return json.dumps(asdict(preparation), sort_keys=True)
