"""Drawing patch positions in a field, empty ones rejected."""

from collections.abc import Mapping

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import uniform_filter

from crossres.jobs import InputError
from crossres.settings import Patches

TRIES_PER_PATCH = 20
"""How often an empty position is drawn anew before a field is taken to hold no more."""


def patch_shape(shapes: Mapping[str, tuple[int, ...]], settings: Patches) -> tuple[int, ...]:
    """Return ([z, ]y, x) of the patches of some fields.

    Parameters
    ----------
    shapes
        ([Z, ]Y, X) of each field, by name.
    settings
        ``patches`` of the experiment; without ``slices`` a patch has as many as the field that has
        fewest.

    Raises
    ------
    InputError
        A field is smaller than a patch.
    """
    side = settings.size_px
    fewest = min(shape[0] for shape in shapes.values())
    for name, shape in shapes.items():
        if min(shape[-2:]) < side:
            raise InputError(
                f"patches.size_px is {side}, but field {name} has only {shape[-2:]} pixels after "
                "registration; make patches smaller or fields larger"
            )
        if len(shape) == 3 and shape[0] < (settings.slices or fewest):
            raise InputError(
                f"patches.slices is {settings.slices}, but field {name} has only {shape[0]} "
                "slices; make patches thinner"
            )
        if len(shape) == 2 and settings.slices is not None:
            raise InputError(
                f"patches.slices is {settings.slices}, but field {name} is an image without "
                "slices; leave it out"
            )
    volumes = len(next(iter(shapes.values()))) == 3
    return (settings.slices or fewest, side, side) if volumes else (side, side)


def draw_positions(
    target: np.ndarray,
    patch_px: tuple[int, ...],
    count: int,
    foreground_level: float,
    foreground_fraction: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw random patch positions, keeping those that show something.

    A patch counts as foreground where at least ``foreground_fraction`` of its pixels exceed
    ``foreground_level``. The search ends after a fixed number of draws, so that an empty field
    gives fewer patches, or none, and never an endless loop.

    Parameters
    ----------
    target
        ([Z, ]Y, X) normalised target, 0 to 1 between its percentiles.
    patch_px
        ([z, ]y, x) sides of a patch, no larger than the field.
    count
        How many are wanted.
    foreground_level
        On the normalised range.
    foreground_fraction
        Part of the patch's pixels, 0 accepts everything.
    rng
        Source of chance.

    Returns
    -------
    ndarray
        (N, 2) or (N, 3) int, ([z, ]y, x) of the first pixel, N at most ``count``.

    References
    ----------
    Chen et al. 2021, Methods: foreground is 0.25 of the normalised range, and half the voxels
    must exceed it; for sparse beads the fraction is far lower.
    """
    tries = count * TRIES_PER_PATCH
    drawn = np.column_stack(
        [
            rng.integers(0, length - side + 1, tries)
            for length, side in zip(target.shape, patch_px, strict=True)
        ]
    )
    bright = (target > foreground_level).astype(np.float64)
    # uniform_filter centres a window of side n on n // 2: [y + n // 2] holds the patch at y
    share = uniform_filter(bright, patch_px, mode="constant")
    centres = drawn + np.array(patch_px) // 2
    enough = share[tuple(centres.T)] >= foreground_fraction - 1e-9
    kept: np.ndarray = drawn[enough][:count]
    return kept


def cut_patches(image: np.ndarray, positions: np.ndarray, patch_px: tuple[int, ...]) -> np.ndarray:
    """Return patches of an image or a volume.

    Parameters
    ----------
    image
        ([Z, ]Y, X).
    positions
        (N, 2) or (N, 3), as :func:`draw_positions` returns them.
    patch_px
        ([z, ]y, x) sides of a patch.

    Returns
    -------
    ndarray
        (N, [z, ]y, x) of the image's dtype.
    """
    patches: np.ndarray = sliding_window_view(image, patch_px)[tuple(positions.T)]
    return patches
