"""A model applied tile by tile, with the result of applying it to the whole."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import nn

from crossres.images import Pixels, slabs
from crossres.jobs import InputError, logger, progress
from crossres.networks import gpu_failure, is_out_of_memory
from crossres.preprocess import Scale
from crossres.restoration.footprint import DEFAULT_POOLING_PX, footprint_of
from crossres.restoration.inference import Inference, Started
from crossres.restoration.tiling import Tile, Tiling, fit_tiles, plan_tiling

DEFAULT_MEMORY_GB = 4.0
"""For a tile on the CPU."""

PART_OF_CARD = 0.8
"""Of a GPU's free memory, what a tile may take."""

MOST_ON_CARD_GB = 34.0
"""With more for a tile a layer's maps pass 2 GiB, from where adding to them takes four times as
long: torch then splits them for its 32-bit indices."""


def restore(
    model: nn.Module | Inference,
    image: np.ndarray,
    tile_px: int | Sequence[int] | None = None,
    margin_px: int | None = None,
    device: torch.device | str = "cpu",
    memory_gb: float | None = None,
    half_precision: bool = True,
) -> np.ndarray:
    """Apply a network to an image of any size, in tiles that bound the memory.

    Every tile is given as much of its surroundings as the network sees through convolutions, and
    begins at a multiple of the network's stride: the result does not depend on the tiling.
    Attention pools over its field of training, whose windows lie alike in every tile; what is
    left of the tiling, less than 1 % root mean square, is blended over.

    Parameters
    ----------
    model
        Maps (N, 1, [Z, ]Y, X) to the same. A network that is none of ours is given wide margins.
        Attention without a field is given one of :data:`DEFAULT_POOLING_PX`. An
        :class:`Inference` of it restores many images faster on a GPU; it has a device and a
        precision of its own.
    image
        (Y, X) or (Z, Y, X), as many axes as the model works on; normalised as in training.
    tile_px
        Side of a tile without its margins, in y and x, or an entry per axis; by default as large
        as ``memory_gb`` allows.
    margin_px
        By default what the network needs.
    device
        Where to compute; the model is moved there.
    memory_gb
        For the network's maps and the arrays of a tile, in 10^9 bytes. By default 4 on the CPU,
        and four fifths of what is free on a GPU.
    half_precision
        Let a GPU compute in bfloat16 where that loses little (autocast); the CPU never does.

    Returns
    -------
    ndarray
        float32, the shape of the image.

    Raises
    ------
    InputError
        The image holds NaN or Inf, or has not the axes that the model works on; the model gives
        such pixels (:class:`NotFinite`); or the memory does not suffice for the smallest tile.
    """
    image = np.asarray(image)
    require_finite(image, "the image")
    restored = np.zeros(image.shape, dtype=np.float32)
    if not isinstance(model, Inference):
        model = Inference(model, device, half_precision)
    apply_model(model, image, restored, tile_px=tile_px, margin_px=margin_px, memory_gb=memory_gb)
    return restored


def apply_model(
    inference: Inference,
    source: Pixels,
    target: Pixels,
    *,
    scales: tuple[Scale, Scale] | None = None,
    tile_px: int | Sequence[int] | None = None,
    margin_px: int | None = None,
    memory_gb: float | None = None,
    label: str = "tiles",
) -> None:
    """Apply a network to what can be read by windows, and write what comes out by windows.

    Where a tile does not fit into the memory, smaller ones are tried.

    Parameters
    ----------
    inference
        The network on its device.
    tile_px, margin_px, memory_gb
        As of :func:`restore`.
    source
        (Y, X) or (Z, Y, X).
    target
        Of the same shape, float32, all zero.
    scales
        What normalises the source, and what is inverted after; none by default.
    label
        What the progress is headed with.
    """
    device = inference.device
    footprint = footprint_of(inference.model, len(source.shape))
    if inference.attends_to_all:
        footprint = footprint.with_pooling(DEFAULT_POOLING_PX[len(source.shape)])
    if tile_px is not None:
        tiling = plan_tiling(footprint, margin_px)
        sides = tiling.forced(source.shape, tile_px)
    else:
        memory_gb = memory_gb or _memory_of(device)
        tiling, sides = fit_tiles(source.shape, footprint, memory_gb, margin_px)
    with inference.ready(tiling.footprint.pooling_px):
        while True:
            tiles = tiling.tiles(source.shape, sides)
            done: list[Tile] = []
            try:
                shown = progress(tiles, label) if len(tiles) > 1 else tiles
                _restore_tiles(inference, source, target, shown, done, scales)
                return
            except (RuntimeError, MemoryError) as error:
                if failure := gpu_failure(error):
                    raise InputError(
                        f"the GPU failed ({failure}): run the same command again, and look at the "
                        "card's log if it fails again"
                    ) from error
                if not is_out_of_memory(error):
                    raise
                smaller = _smaller(tiling, sides, device, error)
            # only here, as the error holds what had been allocated
            sides = smaller
            _clear(target, done)


def _restore_tiles(
    inference: Inference,
    source: Pixels,
    target: Pixels,
    tiles: Iterable[Tile],
    done: list[Tile],
    scales: tuple[Scale, Scale] | None,
) -> None:
    """Restore tiles, each written while a GPU is at the next; ``done`` has those written to."""
    under_way: list[tuple[Tile, Started]] = []
    ahead = 1 if inference.device.type == "cuda" else 0
    for tile in tiles:
        patch = np.asarray(source[tile.seen])
        patch = scales[0].apply(patch) if scales else patch
        under_way.append((tile, inference.start(patch, tile.within)))
        while len(under_way) > ahead:
            _write_tile(inference, target, *under_way.pop(0), done, scales)
    for one in under_way:
        _write_tile(inference, target, *one, done, scales)


def _write_tile(
    inference: Inference,
    target: Pixels,
    tile: Tile,
    started: Started,
    done: list[Tile],
    scales: tuple[Scale, Scale] | None,
) -> None:
    restored = inference.finish(started)
    restored = scales[1].invert(restored) if scales else restored
    done.append(tile)
    if tile.weights is None:
        target[tile.given] = restored
    else:
        target[tile.given] = target[tile.given] + tile.weights * restored


def require_finite(pixels: Pixels, where: str) -> None:
    """Refuse pixels that are not numbers, NaN or infinite.

    Raises
    ------
    InputError
        Saying how many.
    """
    if np.dtype(pixels.dtype).kind not in "uif":
        raise InputError(f"{where} holds {pixels.dtype} values; expected integers or floats")
    if 0 in pixels.shape:
        raise InputError(f"{where} is empty, of shape {pixels.shape}; expected pixels")
    if np.dtype(pixels.dtype).kind != "f":
        return
    # a sum is finite where all pixels are, and is taken in a third of the time
    sums = (np.sum(pixels[w], dtype=np.float64) for w in slabs(pixels.shape))
    with np.errstate(over="ignore", invalid="ignore"):
        if all(np.isfinite(total) for total in sums):
            return
    count = sum(int(np.count_nonzero(~np.isfinite(pixels[w]))) for w in slabs(pixels.shape))
    if count:
        raise InputError(f"{where} holds {count} NaN or Inf pixels; export the raw counts again")


def _memory_of(device: torch.device) -> float:
    if device.type != "cuda":
        return DEFAULT_MEMORY_GB
    # what torch keeps of the card and does not use is free, too
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    free = torch.cuda.mem_get_info(device)[0] + kept
    return min(PART_OF_CARD * free / 1e9, MOST_ON_CARD_GB)


def _smaller(
    tiling: Tiling, sides: tuple[int, ...], device: torch.device, error: Exception
) -> tuple[int, ...]:
    """Return the sides of the tiles to try next, or end clearly where there are none."""
    smaller = tiling.halved(sides)
    if device.type == "cuda":
        torch.cuda.empty_cache()
    if smaller is None:
        raise InputError(
            f"the memory does not suffice even for tiles of {_sizes(sides)} px; close other "
            "programs, use a machine or a GPU with more, or a smaller network"
        ) from error
    logger.info("out of memory with tiles of %s px; trying %s px", _sizes(sides), _sizes(smaller))
    return smaller


def _sizes(sides: tuple[int, ...]) -> str:
    return " x ".join(map(str, sides))


def _clear(target: Pixels, tiles: Sequence[Tile]) -> None:
    for tile in tiles:
        target[tile.given] = 0
