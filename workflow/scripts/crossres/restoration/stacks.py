"""What a stack holds that one model can be applied to: frames, channels, pixel sizes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import isfinite
from typing import Any

import numpy as np

from crossres.images import Metadata, Pixels, Window
from crossres.jobs import InputError
from crossres.networks import ModelFile
from crossres.preprocess import subtract_background
from crossres.restoration.resampling import resampled_shape, trained_shape

PIXEL_SIZE_TOLERANCE = 0.01
"""Pixel sizes that differ by less are the same; from rounding in metadata."""

HARMLESS_RATIOS = (0.7, 1.4)
"""Pixel size of the image over the model's, within which what is restored stays acceptable: Huang
et al. 2023, Fig. 5 and its text, 35 to 70 nm for a model of 50 nm."""

POSSIBLE_RATIOS = (0.1, 10.0)
"""Beyond these a pixel size is taken for a mistake, such as a wrong unit."""


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
    background
        Counts to subtract first, clipped at 0; 0 where it has been done, None for as much as
        the training subtracted from its raw inputs.
    """

    pixel_size_nm: float | None = None
    z_step_nm: float | None = None
    axes: str | None = None
    channels: tuple[str | int, ...] = ()
    background: float | None = 0.0


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


class Subtracted:
    """An image less a constant background and clipped at 0, read by windows.

    Parameters
    ----------
    pixels
        The image, in counts.
    background
        In counts.
    """

    def __init__(self, pixels: Pixels, background: float) -> None:
        self.pixels = pixels
        self.background = background
        self.dtype = np.dtype(np.float32)

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self.pixels.shape

    def __getitem__(self, window: Window) -> np.ndarray:
        """Return a window of the image without its background."""
        return subtract_background(np.asarray(self.pixels[window]), self.background)

    def __setitem__(self, window: Window, values: Any) -> None:
        """Refuse to be written to."""
        raise TypeError("an image less its background is only read")


@dataclass(frozen=True)
class Resampling:
    """How a frame is brought to the pixel size of a model.

    Parameters
    ----------
    steps
        The model's pixel size over the image's, per axis; 1 leaves an axis as it is.
    order
        Of the spline, where it is done as in the training; None for the antialiased cubic one.
    back
        Whether what is restored is brought back to the image's own pixels.
    """

    steps: tuple[float, ...]
    order: int | None = None
    back: bool = True

    @property
    def needed(self) -> bool:
        """Whether there is anything to do."""
        return any(step != 1 for step in self.steps)

    def shape_of(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return the shape of a frame as the model sees it."""
        covering = resampled_shape if self.order is None else trained_shape
        return covering(shape, self.steps) if self.needed else tuple(shape)

    def restored_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return the shape of what is restored of a stack, whose last axes are a frame's."""
        dims = len(self.steps)
        kept = shape[-dims:] if self.back else self.shape_of(shape[-dims:])
        return (*shape[:-dims], *kept)

    def restored_metadata(self, metadata: Metadata) -> Metadata:
        """Return what is to be said of what is restored."""
        if self.back or not self.needed or metadata.pixel_size_nm is None:
            return metadata
        step = self.steps[-1]
        y, x = (round(corner / step) for corner in metadata.corner_px)
        restored = replace(metadata, pixel_size_nm=metadata.pixel_size_nm * step, corner_px=(y, x))
        if len(self.steps) == 2 or self.steps[0] == 1 or metadata.z_step_nm is None:
            return restored
        # what was said of single slices is not true of others
        return replace(restored, z_step_nm=metadata.z_step_nm * self.steps[0], planes={})


def place_of(index: Sequence[int], shape: Sequence[int], axes: str) -> str:
    """Return what a person calls a frame: ", frame T 2 of 48", nothing where there is one alone."""
    named = [
        f"{axis} {i + 1} of {n}" for axis, i, n in zip(axes, index, shape, strict=False) if n > 1
    ]
    return f", frame {', '.join(named)}" if named else ""


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
        # the name 488 comes as a number from the command line
        name = str(channel).strip()
        if name in metadata.channels:
            numbers.append(metadata.channels.index(name))
        elif name.isdecimal() and 1 <= int(name) <= count:
            numbers.append(int(name) - 1)
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


def with_sizes(metadata: Metadata, stated: Stated, model_file: ModelFile, where: str) -> Metadata:
    """Return the metadata with the pixel sizes that file or user state.

    Raises
    ------
    InputError
        A size that is needed is missing, or file and user contradict each other.
    """
    found: dict[str, float | None] = {}
    for key in ("pixel_size_nm", "z_step_nm"):
        in_file, by_user = _positive(getattr(metadata, key)), _positive(getattr(stated, key))
        if in_file and by_user and _differ(in_file, by_user):
            raise InputError(
                f"{where}: the file says {key} {in_file:g}, {_option(key)} {by_user:g}; leave the "
                "option out, or correct the file"
            )
        found[key] = in_file or by_user
        needed = key == "pixel_size_nm" or (
            model_file.dims == 3 and model_file.z_step_nm is not None
        )
        if needed and not found[key]:
            raise InputError(
                f"{where}: has no {key}, which says how far the image must be resampled for the "
                f"model; add {_option(key)}, or save the image with it"
            )
    return replace(
        metadata,
        pixel_size_nm=found["pixel_size_nm"],
        z_step_nm=found["z_step_nm"] if "Z" in metadata.axes else None,
    )


def resampling_to_model(
    metadata: Metadata, model_file: ModelFile, where: str
) -> tuple[Resampling, list[str]]:
    """Return how an image is brought to the model's pixel size, and what there is to warn of.

    Sizes that differ by less than 1 % count as the same. An image with the pixels of the
    training's raw inputs is treated as these were, and stays on the model's finer grid.

    Raises
    ------
    InputError
        The sizes are so far from the model's that they must be wrong.
    """
    sides = [
        (key, getattr(metadata, key), getattr(model_file, key), getattr(model_file, f"input_{key}"))
        for key in ("z_step_nm",) * (model_file.dims - 2) + ("pixel_size_nm",) * 2
    ]
    if _is_raw([(image, model, given or model) for _, image, model, given in sides]):
        as_trained = tuple(
            model / given if model and given else 1.0 for _, _, model, given in sides
        )
        # what is finer than the image along any axis is kept
        return Resampling(as_trained, model_file.interpolation_order, min(as_trained) >= 1), []
    steps, warnings = [], []
    for key, image, model, given in sides:
        if not image or not model or not _differ(image, model):
            steps.append(1.0)
            continue
        steps.append(model / image)
        warnings += _warnings_of(key, image, model, given or model, where)
    return Resampling(tuple(steps)), list(dict.fromkeys(warnings))


def _is_raw(sizes: Sequence[tuple[float | None, float | None, float | None]]) -> bool:
    """Whether an image has the pixels of the training's raw inputs, and not the model's.

    Parameters
    ----------
    sizes
        Of the image, of the model and of the raw inputs, by axis.
    """
    known = [(i, m, g) for i, m, g in sizes if i is not None and m is not None and g is not None]
    return all(not _differ(image, given) for image, _, given in known) and any(
        # of two sizes that hardly differ, the nearer one
        abs(image - given) < abs(image - model)
        for image, model, given in known
    )


def _warnings_of(
    key: str, image_nm: float, model_nm: float, given_nm: float, where: str
) -> list[str]:
    """Return what there is to warn of where an image is resampled along an axis.

    ``given_nm`` is the pixel size of the raw images of the training.
    """
    smallest, largest = sorted((model_nm, given_nm))
    sizes = f"{key} is {image_nm:g} in the image and {model_nm:g} in the model"
    if _differ(given_nm, model_nm):
        sizes += f", which makes it from {given_nm:g}"
    low, high = POSSIBLE_RATIOS
    if not low * smallest <= image_nm <= high * largest:
        raise InputError(
            f"{where}: its {key} is probably wrong: {sizes}; expected {low:g} to {high:g} times "
            f"the model's: correct it in the file, or {_option(key)} if that states it"
        )
    low, high = HARMLESS_RATIOS
    if not low * smallest <= image_nm <= high * largest:
        return [
            f"{sizes}: the image is resampled to that and back, but beyond {low:g} to {high:g} "
            "times the model's, structures may be missed or made up (Huang et al. 2023, Fig. 5)"
        ]
    if _differ(given_nm, model_nm) and model_nm < image_nm:
        return [
            f"{sizes}: what is restored is brought back to the image's own pixels, which are too "
            "large to show all of it"
        ]
    return []


def _option(key: str) -> str:
    """Return the option of restore_new that states a size."""
    return f"--{key.replace('_', '-')}"


def _positive(size_nm: float | None) -> float | None:
    """Return a size; none where programs write 0, less or NaN as they know none."""
    return size_nm if size_nm is not None and isfinite(size_nm) and size_nm > 0 else None


def _differ(a: float, b: float) -> bool:
    return abs(a - b) > PIXEL_SIZE_TOLERANCE * b
