"""A model applied tile by tile, with the result of applying it to the whole."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import nn


def restore(
    model: nn.Module,
    image: np.ndarray,
    tile_px: int = 1024,
    margin_px: int | None = None,
    device: torch.device | str = "cpu",
) -> np.ndarray:
    """Apply a network to an image of any size, in tiles that bound the memory.

    Every tile is given ``margin_px`` of its surroundings, which are cropped from its output.
    With a margin as wide as the network can see, the result does not depend on the tiling.
    Tiles start at multiples of the network's stride, so that its poolings fall alike in all.

    Parameters
    ----------
    model
        Maps (N, 1, Y, X) to the same; ``model.stride`` and ``model.reach_px`` are used where it
        has them.
    image
        (Y, X), normalised as in training.
    tile_px
        Side of a tile without its margin.
    margin_px
        By default ``model.reach_px``.
    device
        Where to compute; the model is moved there.

    Returns
    -------
    ndarray
        (Y, X) float32.
    """
    stride = getattr(model, "stride", 1)
    margin = getattr(model, "reach_px", 64) if margin_px is None else margin_px
    margin = -(-margin // stride) * stride
    tile = max(stride, tile_px // stride * stride)
    model = model.to(device).eval()
    image = np.asarray(image, dtype=np.float32)
    restored = np.empty_like(image)
    with torch.inference_mode():
        for inner, outer in _tiles(image.shape, tile, margin):
            patch = torch.from_numpy(np.ascontiguousarray(image[outer]))[None, None].to(device)
            patch = patch.contiguous(memory_format=torch.channels_last)
            output = model(patch).float().cpu().numpy()[0, 0]
            crop = tuple(
                slice(i.start - o.start, i.stop - o.start)
                for i, o in zip(inner, outer, strict=True)
            )
            restored[inner] = output[crop]
    return restored


def _tiles(
    shape: tuple[int, ...], tile: int, margin: int
) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """Yield (inner, outer) windows: what a tile gives, and what it is computed from."""
    height, width = shape
    for y in range(0, height, tile):
        for x in range(0, width, tile):
            inner = (slice(y, min(y + tile, height)), slice(x, min(x + tile, width)))
            outer = tuple(
                slice(max(0, window.start - margin), min(n, window.stop + margin))
                for window, n in zip(inner, shape, strict=True)
            )
            yield inner, outer
