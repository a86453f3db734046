"""From image file to restored image file, whatever its size and its axes."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import nn

from crossres.images import Metadata, Pixels, StoredArray, image_to_fill, open_image, slabs
from crossres.jobs import InputError, logger, progress
from crossres.networks import ModelFile, load_model
from crossres.preprocess import Scale
from crossres.restoration.ensembles import ORIENTATIONS, Average, Oriented
from crossres.restoration.inference import Inference
from crossres.restoration.resampling import resample_as_trained, resample_into
from crossres.restoration.stacks import (
    Frame,
    Resampling,
    Stated,
    Subtracted,
    channels_wanted,
    frames_of,
    place_of,
    require_dimensions,
    resampling_to_model,
    with_sizes,
)
from crossres.restoration.tiles import apply_model, require_finite

RESERVED_GB = 0.6
"""What Python, torch and the blocks of files take beside a tile on the CPU; measured."""

MOST_SAMPLED_PX = 2**24
"""Percentiles of a larger image are taken of every k-th pixel along all axes."""

IN_COMMON = (
    "dims",
    "pixel_size_nm",
    "z_step_nm",
    "percentiles_per_image",
    "background",
    "input_pixel_size_nm",
    "input_z_step_nm",
    "interpolation_order",
)
"""What models must agree in to be averaged; beside that, they must be of one experiment and channel
and of nearly the same scales."""

SCALE_TOLERANCE = 0.05
"""How far the scales of models that are averaged may differ, in parts of their span."""

Model = tuple[nn.Module, ModelFile]


@dataclass
class Restorer:
    """One model or several, and how they are applied to any number of image files.

    Parameters
    ----------
    models
        Several are an ensemble, of one pixel size and as many dimensions.
    device
        Where to compute.
    memory_gb
        What restoring may take in all on the CPU, in 10^9 bytes, whatever the size of the image;
        on a GPU the tiles follow the memory that is free there.
    tile_px
        Side of a tile, by default as large as the memory allows.
    self_ensemble
        Restore in all eight orientations of the square.
    share
        Of the first of several models in their mean, the others sharing the rest; None is as much
        as each other's.
    """

    models: Sequence[Model]
    device: torch.device | str = "cpu"
    memory_gb: float = 4.0
    tile_px: int | None = None
    self_ensemble: bool = False
    share: float | None = None
    _said: set[str] = field(default_factory=set)
    _inferences: dict[nn.Module, Inference] = field(default_factory=dict)

    @property
    def model_file(self) -> ModelFile:
        """What the models' files have in common."""
        return self.models[0][1]

    @property
    def shares(self) -> list[float]:
        """Of each model in the mean, up to a common factor."""
        others = len(self.models) - 1
        if self.share is None or not others:
            return [1.0] * len(self.models)
        return [self.share, *[(1 - self.share) / others] * others]

    @property
    def has_spread(self) -> bool:
        """Whether there are several restorations of an image, which spread."""
        return self.self_ensemble or len(self.models) > 1

    def restore_file(
        self,
        path: str | Path,
        restored: str | Path,
        spread: str | Path | None = None,
        stated: Stated | None = None,
    ) -> None:
        """Write an image restored, with its axes, sizes, times and channel names.

        A model of images is applied to every (Y, X), one of volumes to every (Z, Y, X). Where
        the pixel size is not the model's, the image is resampled to that and back. An image with
        the pixels of the training's raw inputs is brought to the model's as these were; where
        these are smaller, what is restored has them too.

        Parameters
        ----------
        path
            TIFF.
        restored
            OME-TIFF, float32, in the counts of the model's target; folders are made.
        spread
            The standard deviation of the ensemble's members, likewise.
        stated
            What the user says of the image.

        Raises
        ------
        InputError
            The image cannot be read or does not suit the model; see the functions of
            :mod:`crossres.restoration.stacks`.
        """
        path, restored, stated = Path(path), Path(restored), stated or Stated()
        restored.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            # beside the result, where there is room for images of its size
            folder = TemporaryDirectory(dir=restored.parent, prefix=".scratch_")
            scratch = Path(stack.enter_context(folder))
            pixels, metadata = open_image(path, scratch, stated.axes)
            metadata, channels = self._understood(path, pixels, metadata, stated)
            resampling, warnings = resampling_to_model(metadata, self.model_file, str(path))
            for warning in warnings:
                self._say_once(f"{warning} ({path.name})", key=warning, warn=True)
            shape = resampling.restored_shape(_shape_of(pixels.shape, metadata.axes, len(channels)))
            described = resampling.restored_metadata(metadata)
            targets: list[Pixels] = [
                stack.enter_context(image_to_fill(place, shape, np.float32, described))
                for place in (restored, spread)
                if place is not None
            ]
            source = self._without_background(pixels, stated)
            frames = frames_of(pixels.shape, metadata.axes, self.model_file.dims, channels)
            many = len(frames) > 1
            for there, here in progress(frames, path.name) if many else frames:
                self._restore_frame(
                    Frame(source, there),
                    [Frame(target, here) for target in targets],
                    resampling,
                    scratch,
                    f"{path}{place_of(there, pixels.shape, metadata.axes)}",
                )

    def _understood(
        self, path: Path, pixels: StoredArray, metadata: Metadata, stated: Stated
    ) -> tuple[Metadata, list[int]]:
        """Check an image against the models; return its metadata and the channels to restore."""
        dims = self.model_file.dims
        require_dimensions(metadata, dims, str(path))
        metadata = with_sizes(metadata, stated, self.model_file, str(path))
        channels = channels_wanted(pixels.shape, metadata, stated.channels, str(path))
        require_finite(pixels, f"{path}:")
        names = tuple(metadata.channels[n] for n in channels) if metadata.channels else ()
        if len(channels) > 1:
            trained_on = self.model_file.trained.get("channel")
            known = f", trained on {trained_on}" if trained_on else ""
            named = ", ".join(names) or f"all {len(channels)}"
            self._say_once(f"one model{known}, restores every channel: {named}; --channel chooses")
        return metadata.of_channels(channels), channels

    def _without_background(self, pixels: Pixels, stated: Stated) -> Pixels:
        """Return an image less the background that the user or the model states."""
        by_user = stated.background is not None
        background = stated.background if by_user else self.model_file.background
        if not background:
            return pixels
        whose = "stated" if by_user else "the model's"
        self._say_once(f"a background of {background:g} counts is subtracted, {whose}")
        return Subtracted(pixels, background)

    def _restore_frame(
        self,
        source: Pixels,
        targets: Sequence[Pixels],
        resampling: Resampling,
        scratch: Path,
        where: str,
    ) -> None:
        """Restore one frame into the first target, and its spread into the second."""
        steps, back = resampling.steps, resampling.needed and resampling.back
        ends = list(targets)
        if resampling.needed:
            shape = resampling.shape_of(source.shape)
            ours = StoredArray.create(scratch / "resampled", np.float32, shape)
            if resampling.order is None:
                resample_into(source, ours, steps)
            else:
                resample_as_trained(source, ours, steps, resampling.order)
            source = ours
        if back:
            ends = [
                StoredArray.create(scratch / f"end_{n}", np.float32, shape)
                for n in range(len(targets))
            ]
        if self.has_spread:
            if len(ends) == 1:
                ends.append(StoredArray.create(scratch / "spread", np.float32, source.shape))
            self._average(source, ends[0], ends[1], scratch, where)
        else:
            self._apply(self.models[0], source, ends[0], where)
        if back:
            undone = [1 / step for step in steps]
            for end, target, floor in zip(ends, targets, (-np.inf, 0.0), strict=False):
                resample_into(end, target, undone, floor)

    def _average(
        self, source: Pixels, mean: Pixels, spread: Pixels, scratch: Path, where: str
    ) -> None:
        """Restore by every model in every orientation; write mean and standard deviation."""
        average = Average(mean, spread)
        orientations = ORIENTATIONS if self.self_ensemble else ORIENTATIONS[:1]
        for model, share in zip(self.models, self.shares, strict=True):
            for orientation in orientations:
                member = StoredArray.create(scratch / "member", np.float32, source.shape)
                oriented = Oriented(source, orientation)
                self._apply(model, oriented, Oriented(member, orientation), where)
                average.add(member, share)
        average.finish()

    def _apply(self, model: Model, source: Pixels, target: Pixels, where: str) -> None:
        network, model_file = model
        inference = self._inferences.get(network)
        if inference is None:
            half = model_file.trained.get("precision") == "bfloat16"
            inference = self._inferences[network] = Inference(network, self.device, half)
        on_cpu = torch.device(self.device).type == "cpu"
        scales = _scales(source, model_file, where)
        try:
            apply_model(
                inference,
                source,
                target,
                scales=scales,
                tile_px=self.tile_px,
                memory_gb=max(self.memory_gb - RESERVED_GB, 0.1) if on_cpu else None,
                label=f"tiles of {Path(where).name}",
            )
        except InputError as error:
            raise InputError(f"{where}: {error}") from error

    def _say_once(self, text: str, key: str | None = None, warn: bool = False) -> None:
        """Log what holds for many images only for the first of them."""
        if (key or text) not in self._said:
            self._said.add(key or text)
            (logger.warning if warn else logger.info)("%s", text)


def load_models(paths: Sequence[str | Path]) -> list[Model]:
    """Return the models of some files, which can be averaged.

    Raises
    ------
    InputError
        A file is missing or damaged, or the models differ in what they are applied to.
    """
    models: list[Model] = [load_model(path) for path in paths]
    first = _kind_of(models[0][1])
    for path, (_, model_file) in zip(paths, models, strict=True):
        for key, found in _kind_of(model_file).items():
            if not _agree(found, first[key]):
                raise InputError(
                    f"{path}: its {key} is {_shown(found)}, that of {paths[0]} is "
                    f"{_shown(first[key])}; only models of one kind can be averaged"
                )
    return models


def _kind_of(model_file: ModelFile) -> dict[str, Any]:
    """Return what models that are averaged must agree in."""
    return {
        **{key: getattr(model_file, key) for key in IN_COMMON},
        **{key: model_file.trained.get(key) for key in ("experiment", "channel")},
        **{key: getattr(model_file, key) for key in ("input_scale", "target_scale")},
    }


def _agree(one: Any, other: Any) -> bool:
    if not isinstance(one, Scale):
        return bool(one == other)
    allowed = SCALE_TOLERANCE * other.span
    return bool(abs(one.offset - other.offset) <= allowed and abs(one.span - other.span) <= allowed)


def _shown(value: Any) -> str:
    if isinstance(value, Scale):
        return f"{value.offset:g} to {value.offset + value.span:g} counts"
    return str(value)


def sampled(pixels: Pixels, most: int = MOST_SAMPLED_PX) -> np.ndarray:
    """Return the pixels of an image, or every k-th along all axes where they are too many.

    Parameters
    ----------
    pixels
        Any shape.
    most
        How many are returned at most.

    Returns
    -------
    ndarray
        1D.
    """
    size = int(np.prod(pixels.shape, dtype=np.int64))
    every = 1
    while size > most * every ** len(pixels.shape):
        every += 1
    parts = [
        np.asarray(pixels[window])[
            tuple(slice(-span.start % every, None, every) for span in window)
        ]
        for window in slabs(pixels.shape)
    ]
    return np.concatenate([part.ravel() for part in parts])


def _scales(source: Pixels, model_file: ModelFile, where: str) -> tuple[Scale, Scale]:
    if model_file.percentiles_per_image is None:
        return model_file.input_scale, model_file.target_scale
    low, high = model_file.percentiles_per_image
    try:
        return model_file.scales_of(sampled(source))
    except ValueError as error:
        raise InputError(
            f"{where}: cannot be normalised, as percentiles {low:g} and {high:g} of its pixels are "
            "the same; check that it is not constant, and leave it out if it is"
        ) from error


def _shape_of(shape: Sequence[int], axes: str, channels: int) -> tuple[int, ...]:
    return tuple(channels if axis == "C" else n for axis, n in zip(axes, shape, strict=True))
