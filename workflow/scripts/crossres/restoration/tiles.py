"""A model applied tile by tile, with the result of applying it to the whole."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from crossres.images import Pixels, slabs
from crossres.jobs import InputError, logger, progress
from crossres.networks import is_out_of_memory, takes_bfloat16
from crossres.networks.attention import WindowedAttention
from crossres.preprocess import Scale
from crossres.restoration.footprint import DEFAULT_POOLING_PX, footprint_of
from crossres.restoration.tiling import Tile, Tiling, fit_tiles, plan_tiling

DEFAULT_MEMORY_GB = 4.0
"""For a tile on the CPU."""

PART_OF_CARD = 0.8
"""Of a GPU's free memory, what a tile may take."""


class NotFinite(InputError):
    """A model gives what is no number."""


def restore(
    model: nn.Module,
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
        Attention without a field is given one of :data:`DEFAULT_POOLING_PX`.
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
    apply_model(
        model,
        image,
        restored,
        tile_px=tile_px,
        margin_px=margin_px,
        device=device,
        memory_gb=memory_gb,
        half_precision=half_precision,
    )
    return restored


def apply_model(
    model: nn.Module,
    source: Pixels,
    target: Pixels,
    *,
    scales: tuple[Scale, Scale] | None = None,
    tile_px: int | Sequence[int] | None = None,
    margin_px: int | None = None,
    device: torch.device | str = "cpu",
    memory_gb: float | None = None,
    half_precision: bool = True,
    label: str = "tiles",
) -> None:
    """Apply a network to what can be read by windows, and write what comes out by windows.

    Where a tile does not fit into the memory, smaller ones are tried.

    Parameters
    ----------
    model, tile_px, margin_px, device, memory_gb, half_precision
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
    device = torch.device(device)
    footprint = footprint_of(model, len(source.shape))
    if any(attention.pooling_px is None for attention in _attentions(model)):
        footprint = footprint.with_pooling(DEFAULT_POOLING_PX[len(source.shape)])
    if tile_px is not None:
        tiling = plan_tiling(footprint, margin_px)
        sides = tiling.forced(source.shape, tile_px)
    else:
        memory_gb = memory_gb or _memory_of(device)
        tiling, sides = fit_tiles(source.shape, footprint, memory_gb, margin_px)
    with _prepared(model, device, tiling.footprint.pooling_px):
        while True:
            tiles = tiling.tiles(source.shape, sides)
            done: list[Tile] = []
            try:
                for tile in progress(tiles, label) if len(tiles) > 1 else tiles:
                    done.append(tile)
                    _restore_tile(model, source, target, tile, scales, device, half_precision)
                return
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                smaller = _smaller(tiling, sides, device, error)
            # only here, as the error holds what had been allocated
            sides = smaller
            _clear(target, done)


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
    count = sum(int(np.count_nonzero(~np.isfinite(pixels[w]))) for w in slabs(pixels.shape))
    if count:
        raise InputError(f"{where} holds {count} NaN or Inf pixels; export the raw counts again")


def _attentions(model: nn.Module) -> list[WindowedAttention]:
    return [module for module in model.modules() if isinstance(module, WindowedAttention)]


@contextmanager
def _prepared(
    model: nn.Module, device: torch.device, pooling_px: Sequence[int] | None
) -> Iterator[None]:
    """Bring a network to its device, ready to restore; leave its mode and field as they were."""
    fields = [(attention, attention.pooling_px) for attention in _attentions(model)]
    training = [module for module in model.modules() if module.training]
    model.to(device).eval()
    for parameter in model.parameters():
        kinds = {4: torch.channels_last, 5: torch.channels_last_3d}
        if parameter.dim() in kinds:
            parameter.data = parameter.data.contiguous(memory_format=kinds[parameter.dim()])
    try:
        for attention, _ in fields:
            if pooling_px is not None:
                # a network of images may be applied to volumes, slice by slice
                dims = next(attention.parameters()).dim() - 2
                attention.pooling_px = list(pooling_px[-dims:])
        with torch.inference_mode():
            yield
    finally:
        for attention, field in fields:
            attention.pooling_px = field
        for module in training:
            module.training = True


def _restore_tile(
    model: nn.Module,
    source: Pixels,
    target: Pixels,
    tile: Tile,
    scales: tuple[Scale, Scale] | None,
    device: torch.device,
    half_precision: bool,
) -> None:
    patch = np.asarray(source[tile.seen])
    patch = scales[0].apply(patch) if scales else np.array(patch, dtype=np.float32)
    given = torch.from_numpy(patch)[None, None].to(device)
    half = half_precision and takes_bfloat16(device)
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=half):
        output = model(given)
    if output.shape != given.shape:
        raise InputError(
            f"the model gives {tuple(output.shape)} for {tuple(given.shape)}; expected a model "
            "whose output has the size of its input"
        )
    restored = output[(0, 0, *tile.within)].float().cpu().numpy()
    restored = scales[1].invert(restored) if scales else restored
    if not np.isfinite(restored).all():
        raise NotFinite(
            "the model gives NaN or Inf; check that the counts are like those that it was trained "
            "on, or use another model"
        )
    if tile.weights is None:
        target[tile.given] = restored
    else:
        target[tile.given] = target[tile.given] + tile.weights * restored


def _memory_of(device: torch.device) -> float:
    if device.type != "cuda":
        return DEFAULT_MEMORY_GB
    return PART_OF_CARD * torch.cuda.mem_get_info(device)[0] / 1e9


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
