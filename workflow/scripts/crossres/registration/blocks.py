"""The published pyramidal elastic registration: blocks that shrink, each moved by its own peak."""

from itertools import count

import numpy as np
import torch

from crossres.registration.sampling import sample

LARGEST_BLOCK_PX, SMALLEST_BLOCK_PX = 256, 64
SHRINKING = 1.2
ITERATIONS = 5
TOLERANCE_PX = 0.2


def block_sizes(side_px: int) -> list[int]:
    """Return the block sizes of the pyramid, the largest no larger than the image."""
    sizes = [min(LARGEST_BLOCK_PX, side_px)]
    for level in count(1):
        size = round(LARGEST_BLOCK_PX / SHRINKING**level)
        if size <= SMALLEST_BLOCK_PX:
            break
        if size < sizes[-1]:
            sizes.append(size)
    return sizes if sizes[-1] <= SMALLEST_BLOCK_PX else [*sizes, SMALLEST_BLOCK_PX]


def estimate_by_blocks(
    reference: np.ndarray, moving: np.ndarray, device: str | torch.device = "cpu"
) -> np.ndarray:
    """Estimate what moves one image onto another, block by block, with shrinking blocks.

    At each of up to five iterations a block size, every block's shift is the peak of its
    cross-correlation, located by a parabola; the shifts, weighed by each block's contrast and
    correlation, are joined smoothly; the field is composed with the one so far, and the original
    image warped by the whole. A block size is left once no block moves by more than 0.2 px.

    Parameters
    ----------
    reference, moving
        (Y, X) of one shape.
    device
        Where to compute; all blocks of a size at once.

    Returns
    -------
    ndarray
        (2, Y, X) float32; see :mod:`crossres.registration.warping` for its sign.

    References
    ----------
    Wang et al. 2019, Methods: blocks of 256 px shrinking by 1.2 every 5 iterations to 64 px, shift
    tolerance 0.2 px, an iterative version of the registration in NanoJ (Laine et al. 2019). What
    the paper leaves open: blocks lie side by side, or overlap where they do not divide the image;
    the correlation is circular, of blocks less their mean; a block weighs as its correlation times
    its contrast, none below zero.
    """
    fixed, free = (
        torch.as_tensor(np.array(image, dtype=np.float32), device=device)
        for image in (reference, moving)
    )
    height, width = fixed.shape
    field = torch.zeros(2, height, width, device=device)
    y = torch.arange(height, device=device, dtype=torch.float32)[:, None]
    x = torch.arange(width, device=device, dtype=torch.float32)[None]

    def warped(image: torch.Tensor, by: torch.Tensor) -> torch.Tensor:
        return sample(image[None, None], (y - by[0])[None], (x - by[1])[None])[0]

    for size in block_sizes(min(height, width)):
        starts = [_starts(n, size, fixed.device) for n in (height, width)]
        blocks = _cut(fixed, starts, size)
        for _ in range(ITERATIONS):
            shifts, weights = _block_shifts(blocks, _cut(warped(free, field), starts, size))
            step = _joined(shifts, weights, starts, size, (y[:, 0], x[0]))
            # the step moves what the field has moved already: d(p) = s(p) + d0(p - s(p))
            field = step + torch.stack([warped(part, step) for part in field])
            if not weights.max() > 0:
                break
            if shifts[:, weights > 0.1 * weights.max()].abs().max() < TOLERANCE_PX:
                break
    return field.cpu().numpy()


def _starts(length: int, size: int, device: torch.device) -> torch.Tensor:
    """Return where blocks begin: as many as cover the axis, evenly spread."""
    number = -(-length // size)
    return torch.linspace(0, length - size, number, device=device).round().long()


def _cut(image: torch.Tensor, starts: list[torch.Tensor], size: int) -> torch.Tensor:
    """Return all blocks less their means, (rows, columns, size, size)."""
    inside = torch.arange(size, device=image.device)
    rows = (starts[0][:, None] + inside)[:, None, :, None]
    columns = (starts[1][:, None] + inside)[None, :, None, :]
    blocks = image[rows, columns]
    return blocks - blocks.mean((-2, -1), keepdim=True)


def _block_shifts(fixed: torch.Tensor, free: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what moves each free block onto its fixed one, (2, rows, columns), and weights."""
    size = fixed.shape[-1]
    spectrum = torch.fft.rfft2(fixed) * torch.fft.rfft2(free).conj()
    correlation = torch.fft.fftshift(torch.fft.irfft2(spectrum, s=(size, size)), dim=(-2, -1))
    contrast = torch.sqrt(fixed.square().sum((-2, -1)) * free.square().sum((-2, -1)))
    # shifts beyond a quarter of a block leave too little of it to compare
    low, high = size // 2 - size // 4, size // 2 + size // 4 + 1
    near = correlation[..., low:high, low:high]
    side = near.shape[-1]
    best, place = near.flatten(-2).max(-1)
    rows = (place // side).clamp(1, side - 2)
    columns = (place % side).clamp(1, side - 2)
    grid = torch.meshgrid(*(torch.arange(n, device=near.device) for n in rows.shape), indexing="ij")

    def at(dy: int, dx: int) -> torch.Tensor:
        values: torch.Tensor = near[(*grid, rows + dy, columns + dx)]
        return values

    middle = at(0, 0)
    offsets = [
        _parabola(before, middle, after)
        for before, after in ((at(-1, 0), at(1, 0)), (at(0, -1), at(0, 1)))
    ]
    shifts = torch.stack([rows + offsets[0], columns + offsets[1]]) - size // 4
    similarity = (best / (contrast + 1e-12)).clamp(0, 1)
    return shifts, similarity * contrast / (contrast.max() + 1e-12)


def _parabola(before: torch.Tensor, middle: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """Return where the parabola through three neighbouring values has its peak, -0.5 to 0.5."""
    bend = (2 * middle - before - after).clamp(min=1e-12)
    return (0.5 * (after - before) / bend).clamp(-0.5, 0.5)


def _joined(
    shifts: torch.Tensor,
    weights: torch.Tensor,
    starts: list[torch.Tensor],
    size: int,
    places: tuple[torch.Tensor, torch.Tensor],
) -> torch.Tensor:
    """Return a smooth field through the blocks' shifts: their weighted mean around each pixel."""
    y, x = (
        torch.exp(-0.5 * ((place[:, None] - (start + (size - 1) / 2)) / (size / 2)) ** 2)
        for place, start in zip(places, starts, strict=True)
    )
    return (y @ (shifts * weights) @ x.T) / (y @ weights @ x.T + 1e-12)
