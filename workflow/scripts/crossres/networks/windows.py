"""Windows of a fixed field on an image: means over them, and interpolation between them.

Along an axis of n pixels, windows of f pixels begin at 0, h, 2h, ... with h = f / 2, and a last
one at n - f. An axis no longer than f has one window, the whole axis.

No branch depends on a size, and sizes may be the numbers that torch.jit.trace records: a traced
network then works at any size.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def step_of(pooling_px: int) -> int:
    """Return half a field, at least 1."""
    return max(1, pooling_px // 2)


def window_starts(size_px: int, pooling_px: int) -> list[int]:
    """Return where the windows along an axis begin, in pixels."""
    step = step_of(pooling_px)
    beyond = max(0, size_px - pooling_px)
    return [min(k * step, beyond) for k in range((beyond + step - 1) // step + 1)]


def window_means(x: Tensor, pooling_px: Sequence[int]) -> Tensor:
    """Return the mean over each window.

    Parameters
    ----------
    x
        (N, C, [Z, ]Y, X).
    pooling_px
        Size of the windows, an entry per spatial axis.

    Returns
    -------
    Tensor
        (N, C, windows along each axis).
    """
    means = x.movedim(1, -1)
    # outermost axis first: the first product is then one of large matrices
    for axis, field in enumerate(pooling_px, start=1):
        pixels = _indices(means, axis)
        size, starts = _windows(means, axis, field)
        passed = pixels - starts[:, None]
        inside = (passed >= 0) & (passed < size)
        # divides the sum, not the matrix: ones are exact at low precision
        means = _product(inside.to(means.dtype), means, axis) / size
    return means.movedim(-1, 1)


def between_windows(values: Tensor, x: Tensor, pooling_px: Sequence[int]) -> Tensor:
    """Interpolate values at the windows' centres linearly to every pixel.

    Beyond the outermost centres, the outermost value is continued.

    Parameters
    ----------
    values
        (N, C, windows along each axis).
    x
        (N, C, [Z, ]Y, X), the image with the windows.
    pooling_px
        As for :func:`window_means`.

    Returns
    -------
    Tensor
        Of the shape of ``x``, channels last in memory.
    """
    image = x.movedim(1, -1)
    values = values.movedim(1, -1)
    for axis, field in reversed(list(enumerate(pooling_px, start=1))):
        pixels = _indices(image, axis).to(torch.float32)[:, None]
        size, starts = _windows(image, axis, field)
        centres = starts.to(torch.float32) + (size - 1) / 2
        # 0 before a centre, 1 from the next one on
        passed = ((pixels - centres[:-1]) / (centres[1:] - centres[:-1])).clamp(0.0, 1.0)
        weights = torch.cat([torch.ones_like(pixels), passed], 1) - torch.cat(
            [passed, torch.zeros_like(pixels)], 1
        )
        values = _product(weights.to(values.dtype), values, axis)
    return values.movedim(-1, 1)


def _windows(image: Tensor, axis: int, field: int) -> tuple[int, Tensor]:
    """Return the size of the windows along an axis of an image, and where they begin."""
    step = step_of(field)
    beyond = _at_least(image.shape[axis] - field, 0)
    count = (beyond + step - 1) // step + 1
    starts = (_indices(image, axis)[:count] * step).clamp(max=beyond)
    return image.shape[axis] - beyond, starts


def _product(matrix: Tensor, values: Tensor, axis: int) -> Tensor:
    """Apply a matrix along one axis of (N, ..., C)."""
    before, after = values.shape[:axis], values.shape[axis + 1 :]
    product = torch.matmul(matrix, values.flatten(axis + 1))
    return product.reshape(*before, matrix.shape[0], *after)


def _indices(image: Tensor, axis: int) -> Tensor:
    """Return 0, 1, 2, ... along an axis, on the image's device, traced or not."""
    line = image[tuple(slice(None) if k == axis else 0 for k in range(image.dim()))]
    return torch.ones_like(line, dtype=torch.int64).cumsum(0) - 1


def _at_least(value: int, least: int) -> int:
    return value.clamp(min=least) if isinstance(value, Tensor) else max(value, least)
