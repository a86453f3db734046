"""What a stack holds that one model can be applied to: frames, channels, pixel sizes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from crossres.images import Metadata, Pixels, Window
from crossres.jobs import InputError
from crossres.networks import ModelFile

PIXEL_SIZE_TOLERANCE = 0.01
"""Pixel sizes that differ by less are the same; from rounding in metadata."""

HARMLESS_RATIOS = (0.7, 1.4)
"""Pixel size of the image over the model's, within which what is restored stays acceptable: Huang
et al. 2023, Fig. 5 and its text, 35 to 70 nm for a model of 50 nm."""


@dataclass(frozen=True)
class Stated:
    """What a user says of an image that its file does not.

    Parameters
    ----------
    pixel_size_nm, z_step_nm
        At the sample.
    axes
        As of :func:`crossres.images.read_image`.
    channels
        Names or numbers, from 1, of those to restore; none means all.
    """

    pixel_size_nm: float | None = None
    z_step_nm: float | None = None
    axes: str | None = None
    channels: tuple[str | int, ...] = ()


class Frame:
    """One image or volume of a stack, read and written by windows.

    Parameters
    ----------
    pixels
        The stack.
    index
        Along its first axes.
    """

    def __init__(self, pixels: Pixels, index: Sequence[int]) -> None:
        self.pixels = pixels
        self.index = tuple(index)
        self.dtype = pixels.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis that is left."""
        return tuple(self.pixels.shape[len(self.index) :])

    def __getitem__(self, window: Window) -> np.ndarray:
        """Return a window of the frame."""
        return self.pixels[(*self.index, *window)]

    def __setitem__(self, window: Window, values: Any) -> None:
        """Write a window of the frame."""
        self.pixels[(*self.index, *window)] = values


def frames_of(
    shape: Sequence[int], axes: str, dims: int, channels: Sequence[int]
) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return where each frame lies in the image, and where in what is restored of it.

    Parameters
    ----------
    shape, axes
        Of the image.
    dims
        2: every (Y, X) is a frame; 3: every (Z, Y, X).
    channels
        Numbers of the channels that are restored, from 0.
    """
    along = [
        list(enumerate(channels)) if axis == "C" else [(n, n) for n in range(length)]
        for axis, length in zip(axes[:-dims], shape[:-dims], strict=True)
    ]
    return [(tuple(b for _, b in place), tuple(a for a, _ in place)) for place in product(*along)]


def channels_wanted(
    shape: Sequence[int], metadata: Metadata, wanted: Sequence[str | int], where: str
) -> list[int]:
    """Return the numbers, from 0, of the channels to restore.

    Raises
    ------
    InputError
        There is no such channel.
    """
    count = shape[metadata.axes.index("C")] if "C" in metadata.axes else 1
    numbers = []
    for channel in wanted:
        if channel in metadata.channels:
            numbers.append(metadata.channels.index(str(channel)))
        elif str(channel).isdecimal() and 1 <= int(channel) <= count:
            numbers.append(int(channel) - 1)
        else:
            names = f" called {', '.join(metadata.channels)}" if metadata.channels else ""
            raise InputError(
                f"{where}: has no channel {channel!r}; it has {count}{names}: give a name, or a "
                "number from 1"
            )
    return numbers or list(range(count))


def require_dimensions(metadata: Metadata, dims: int, where: str) -> None:
    """Refuse an image that lacks axes a model works on.

    Raises
    ------
    InputError
        It has no Y, X or, for a model of volumes, Z.
    """
    needed = "ZYX"[-dims:]
    if not metadata.axes.endswith(needed):
        raise InputError(
            f"{where}: has axes {metadata.axes}; the model restores {'volumes' * (dims == 3)}"
            f"{'images' * (dims == 2)} with {', '.join(needed)}: use a model of other dimensions, "
            "or save the image with its axes named"
        )


def with_sizes(metadata: Metadata, stated: Stated, about: ModelFile, where: str) -> Metadata:
    """Return the metadata with the pixel sizes that file or user state.

    Raises
    ------
    InputError
        A size that is needed is missing, or file and user contradict each other.
    """
    found: dict[str, float | None] = {}
    for key in ("pixel_size_nm", "z_step_nm"):
        in_file, by_user = getattr(metadata, key), getattr(stated, key)
        if in_file and by_user and _differ(in_file, by_user):
            raise InputError(
                f"{where}: the file says {key} {in_file:g}, the configuration {by_user:g}; leave "
                f"{key} out, or correct the file"
            )
        found[key] = in_file or by_user
        needed = key == "pixel_size_nm" or (about.dims == 3 and about.z_step_nm is not None)
        if needed and not found[key]:
            raise InputError(
                f"{where}: has no {key}, which says how far the image must be resampled for the "
                f"model; add {key}=... to --config, or save the image with it"
            )
    return replace(
        metadata,
        pixel_size_nm=found["pixel_size_nm"],
        z_step_nm=found["z_step_nm"] if "Z" in metadata.axes else None,
    )


def steps_to_model(metadata: Metadata, about: ModelFile) -> tuple[tuple[float, ...], list[str]]:
    """Return the model's pixel size over the image's, per axis, and what there is to warn of.

    Sizes that differ by less than 1 % count as the same.
    """
    sides = {"pixel_size_nm": metadata.pixel_size_nm, "z_step_nm": metadata.z_step_nm}
    keys = ("z_step_nm",) * (about.dims - 2) + ("pixel_size_nm",) * 2
    steps, warnings = [], []
    for key in keys:
        image_nm, model_nm = sides[key], getattr(about, key)
        if not image_nm or not model_nm or not _differ(image_nm, model_nm):
            steps.append(1.0)
            continue
        steps.append(model_nm / image_nm)
        low, high = HARMLESS_RATIOS
        if not low <= image_nm / model_nm <= high:
            warnings.append(
                f"{key} is {image_nm:g} in the image and {model_nm:g} in the model: the image is "
                f"resampled to that and back, but beyond {low:g} to {high:g} times the model's, "
                "structures may be missed or made up (Huang et al. 2023, Fig. 5)"
            )
    return tuple(steps), list(dict.fromkeys(warnings))


def _differ(a: float, b: float) -> bool:
    return abs(a - b) > PIXEL_SIZE_TOLERANCE * b
