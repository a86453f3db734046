"""Patches and validation fields, read and written one field at a time."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from crossres.images import field_name, read_image
from crossres.jobs import InputError, progress
from crossres.patches.positions import cut_patches, draw_positions
from crossres.patches.scaling import ROLES, Pair, common_scale, normalised_pair
from crossres.patches.store import Preparation, patches_to_fill, tensor_name
from crossres.preprocess import PixelQuantiles, Scale
from crossres.settings import Patches


def survey(
    paths: Mapping[str, Sequence[Path]], settings: Patches
) -> tuple[dict[str, Scale], dict[str, dict[str, tuple[int, ...]]]]:
    """Return the scales, of the training fields alone, and the shape of every field, by split.

    Parameters
    ----------
    paths
        Registered fields by split, ``train`` among them.
    settings
        ``patches`` of the experiment.
    """
    pixels = {role: PixelQuantiles() for role in ROLES}
    shapes: dict[str, dict[str, tuple[int, ...]]] = {split: {} for split in paths}
    for split, found in paths.items():
        for path in progress(found, f"reading {split} fields"):
            pair = load_pair(path)
            shapes[split][field_name(path)] = pair[0].shape
            if split == "train":
                for role, image in zip(ROLES, pair, strict=True):
                    pixels[role].add(image)
    return {role: common_scale(pixels[role], role, settings) for role in ROLES}, shapes


def load_pair(path: Path) -> Pair:
    """Return a registered pair, ([Z, ]Y, X) each."""
    image = read_image(path)
    return image.channel("input"), image.channel("target")


def normalised_fields(
    paths: Sequence[Path], doing: str, preparation: Preparation, settings: Patches
) -> Iterator[tuple[str, Pair]]:
    """Give every field's name and normalised pair, one at a time, and show how far that is."""
    for path in progress(paths, doing):
        name = field_name(path)
        yield name, normalised_pair(name, load_pair(path), preparation.scales, settings)


def draw_all(
    paths: Sequence[Path], patch_px: tuple[int, ...], preparation: Preparation, settings: Patches
) -> dict[str, np.ndarray]:
    """Return the positions of the patches of all training fields, by the field's name.

    Parameters
    ----------
    paths
        Registered training fields.
    patch_px
        ([z, ]y, x) shape of a patch.
    preparation, settings
        How fields are scaled, and ``patches`` of the experiment.

    Raises
    ------
    InputError
        No patch shows enough foreground.
    """
    rng = np.random.default_rng(settings.seed)
    positions = {}
    fields = normalised_fields(paths, "drawing positions", preparation, settings)
    for name, (_, target) in fields:
        positions[name] = draw_positions(
            target,
            patch_px,
            settings.per_field,
            settings.foreground_level,
            settings.foreground_fraction,
            rng,
        )
    if not any(map(len, positions.values())):
        raise InputError(
            f"no train patch shows anything: none has {settings.foreground_fraction:g} of "
            f"its pixels above {settings.foreground_level:g} of the range; lower "
            "patches.foreground_fraction or foreground_level"
        )
    return positions


def write_training(
    path: Path,
    paths: Sequence[Path],
    positions: Mapping[str, np.ndarray],
    patch_px: tuple[int, ...],
    preparation: Preparation,
    settings: Patches,
) -> None:
    """Write the patches field by field, in the order of the fields.

    Parameters
    ----------
    path
        Where to, safetensors: one tensor (N, [Z, ]Y, X) a role.
    paths, positions
        The fields, and where each is cut, (N, 2 or 3) corners in pixels by the field's name.
    patch_px, preparation, settings
        As draw_all takes them.
    """
    shape = (sum(map(len, positions.values())), *patch_px)
    with patches_to_fill(path, dict.fromkeys(ROLES, shape), preparation) as append:
        for name, pair in normalised_fields(paths, "cutting patches", preparation, settings):
            for role, image in zip(ROLES, pair, strict=True):
                append(role, cut_patches(image, positions[name], patch_px))


def write_validation(
    path: Path,
    paths: Sequence[Path],
    shapes: Sequence[tuple[int, ...]],
    preparation: Preparation,
    settings: Patches,
) -> None:
    """Write the validation fields whole, one after the other.

    Parameters
    ----------
    path
        Where to, safetensors: one tensor ([Z, ]Y, X) a field and role.
    paths, shapes
        The fields, and the shape of each.
    preparation, settings
        As draw_all takes them.
    """
    tensors = {tensor_name(r, n): shape for n, shape in enumerate(shapes) for r in ROLES}
    with patches_to_fill(path, tensors, preparation) as append:
        fields = normalised_fields(paths, "writing validation fields", preparation, settings)
        for number, (_, pair) in enumerate(fields):
            for role, image in zip(ROLES, pair, strict=True):
                append(tensor_name(role, number), image)
