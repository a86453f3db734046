"""Batches prepared ahead of the step that needs them, on the device that it runs on."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from crossres.jobs import logger
from crossres.training.batches import (
    Crop,
    Images,
    Sampling,
    draw_batch,
    draw_crops,
    in_best_order,
)
from crossres.training.process_group import ProcessGroup

AHEAD = 3
"""Batches prepared ahead."""

PART_OF_CARD = 0.25
"""Of a GPU's free memory, what the patches may take to lie there."""


class PatchesOnCard:
    """Patches that lie on a device, from which batches are gathered there.

    A crop in any of the eight orientations is read with one step along its rows and one along its
    columns: three numbers a patch are all that is sent.

    Parameters
    ----------
    inputs, targets
        (N, [Z,] Y, X) float32; memory maps or arrays of one size.
    device
        Where they are to lie.
    """

    def __init__(self, inputs: Images, targets: Images, device: torch.device) -> None:
        self.device = device
        self.shape = tuple(inputs[0].shape)
        self.images = [_copied(images, device) for images in (inputs, targets)]

    @staticmethod
    def fit(inputs: Images, targets: Images, device: torch.device) -> bool:
        """Whether it is a GPU with room for them beside the training."""
        if device.type != "cuda":
            return False
        size = sum(image.nbytes for images in (inputs, targets) for image in images)
        free = torch.cuda.mem_get_info(device)[0]
        return size <= PART_OF_CARD * free

    def batch(self, crops: Sequence[Crop], crop_px: int | None) -> tuple[Tensor, Tensor]:
        """Return the same batch as :func:`draw_batch`.

        Parameters
        ----------
        crops
            From :func:`draw_crops`.
        crop_px
            Side of the crops; None takes patches whole.
        """
        *depth, height, width = self.shape
        if crop_px is not None:
            height_out = width_out = crop_px
        else:
            height_out, width_out = height, width
        steps = torch.tensor([_steps(crop, self.shape, crop_px) for crop in crops])
        if self.device.type == "cuda":
            steps = steps.pin_memory()
        steps = steps.to(self.device, non_blocking=True)
        start, down, across = steps.reshape(len(crops), 3, *[1] * len(self.shape)).unbind(1)
        places = start + down * self._along(height_out, -2) + across * self._along(width_out, -1)
        if depth:
            places = places + height * width * self._along(depth[0], -3)
        x, y = (images[places][:, None] for images in self.images)
        return x, y

    def _along(self, length: int, axis: int) -> Tensor:
        """Return 0, 1, 2, ... along an axis of a patch."""
        line = torch.arange(length, device=self.device)
        return line.reshape([length if k == axis else 1 for k in range(-len(self.shape), 0)])


def _copied(images: Images, device: torch.device) -> Tensor:
    """Return all pixels of some images one after the other on the device."""
    size = images[0].size
    copied = torch.empty(len(images) * size, dtype=torch.float32, device=device)
    for number, image in enumerate(images):
        flat = np.array(image, dtype=np.float32).ravel()
        copied[number * size : (number + 1) * size] = torch.from_numpy(flat)
    return copied


def _steps(crop: Crop, shape: tuple[int, ...], crop_px: int | None) -> tuple[int, int, int]:
    """Return where a crop begins among all pixels, and its steps along its rows and columns."""
    height, width = shape[-2:]
    tall, wide = (height, width) if crop_px is None else (crop_px, crop_px)
    # of a pixel of the result: (row, column) in the patch of the first, and per row and column
    first, down, across = {
        0: ((0, 0), (1, 0), (0, 1)),
        1: ((0, wide - 1), (0, -1), (1, 0)),
        2: ((tall - 1, wide - 1), (-1, 0), (0, -1)),
        3: ((tall - 1, 0), (0, 1), (-1, 0)),
    }[crop.turns]
    row, column = (a + b for a, b in zip(first, crop.corner_px, strict=True))
    by_row, by_column = (step[0] * width + step[1] for step in (down, across))
    start = crop.patch * int(np.prod(shape)) + row * width + column
    if crop.mirrored:
        columns = wide if crop.turns % 2 == 0 else tall
        start, by_column = start + (columns - 1) * by_column, -by_column
    return start, by_row, by_column


def batches_ahead(
    inputs: Images,
    targets: Images,
    sampling: Sampling,
    first: int,
    last: int,
    device: torch.device,
    group: ProcessGroup | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the batches of iterations ``first`` to ``last`` (not included), on the device.

    On a GPU with room for all patches they lie there. Otherwise a thread draws batches ahead and
    starts copying them to the device from pinned memory. Either way no step waits for its data.
    """
    card: PatchesOnCard | None = None
    if PatchesOnCard.fit(inputs, targets, device) and first < last:
        card = PatchesOnCard(inputs, targets, device)
        logger.info("all patches lie on the GPU")

    def prepare(iteration: int) -> tuple[Tensor, Tensor]:
        if card is not None:
            crops = draw_crops(targets, sampling, iteration, group)
            x, y = card.batch(crops, sampling.crop_px)
            return in_best_order(x), in_best_order(y)
        pair = draw_batch(inputs, targets, sampling, iteration, group)
        x, y = (in_best_order(t) for t in pair)
        if device.type == "cuda":
            x, y = (t.pin_memory().to(device, non_blocking=True) for t in (x, y))
        return x, y

    with ThreadPoolExecutor(max_workers=1) as thread:
        pending = [thread.submit(prepare, i) for i in range(first, min(first + AHEAD, last))]
        for iteration in range(first, last):
            batch = pending.pop(0).result()
            if iteration + AHEAD < last:
                pending.append(thread.submit(prepare, iteration + AHEAD))
            yield batch
