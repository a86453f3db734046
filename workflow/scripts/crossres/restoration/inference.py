"""A network on its device, applied to tile after tile while others are read and written."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from crossres.images import Window
from crossres.jobs import InputError
from crossres.networks import takes_bfloat16
from crossres.networks.attention import WindowedAttention
from crossres.networks.graphs import Graphs

RECORDED_UP_TO_PX = 2**22
"""Of larger tiles a GPU does not wait for the next launch, and a graph would only hold memory."""


class NotFinite(InputError):
    """A model gives what is no number."""


class Started(NamedTuple):
    """A tile under way: its pixels, whether all are finite, and when both are there."""

    pixels: Tensor
    finite: Tensor
    event: torch.cuda.Event | None


class Inference:
    """A network on its device, ready to restore.

    On a GPU a tile is started and fetched later: meanwhile the next one is read, and the one before
    written. Tiles of a size that comes again are graphs (:class:`crossres.networks.graphs.Graphs`).

    Parameters
    ----------
    model
        Maps (N, 1, [Z, ]Y, X) to the same; it is moved to the device, weights with channels last.
    device
        Where to compute.
    half_precision
        Let a GPU compute in bfloat16 where that loses little (autocast); the CPU never does.
    """

    def __init__(
        self, model: nn.Module, device: torch.device | str = "cpu", half_precision: bool = True
    ) -> None:
        self.device = torch.device(device)
        self.model = model.to(self.device)
        self.half = half_precision and takes_bfloat16(self.device)
        self.graphs = Graphs(self.device)
        self.attentions = [m for m in model.modules() if isinstance(m, WindowedAttention)]
        for parameter in model.parameters():
            kinds = {4: torch.channels_last, 5: torch.channels_last_3d}
            if parameter.dim() in kinds:
                parameter.data = parameter.data.contiguous(memory_format=kinds[parameter.dim()])

    @property
    def attends_to_all(self) -> bool:
        """Whether it has attention that would pool over whatever tile it is given."""
        return any(attention.pooling_px is None for attention in self.attentions)

    @contextmanager
    def ready(self, pooling_px: Sequence[int] | None) -> Iterator[None]:
        """Let the network restore, its attention over a field; leave it as it was."""
        fields = [(attention, attention.pooling_px) for attention in self.attentions]
        training = [module for module in self.model.modules() if module.training]
        self.model.eval()
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

    def start(self, patch: np.ndarray, within: Window) -> Started:
        """Begin to restore a tile; only while :meth:`ready`.

        Parameters
        ----------
        patch
            ([Z, ]Y, X), normalised.
        within
            What of it is wanted.

        Raises
        ------
        InputError
            The network gives another size than it is given.
        """
        on_gpu = self.device.type == "cuda"
        given = torch.empty(patch.shape, dtype=torch.float32, pin_memory=on_gpu)
        np.copyto(given.numpy(), patch)
        given = given.to(self.device, non_blocking=True)[None, None]
        output = self._apply(given)
        if output.shape != given.shape:
            raise InputError(
                f"the model gives {tuple(output.shape)} for {tuple(given.shape)}; expected a model "
                "whose output has the size of its input"
            )
        pixels = output[0, 0][within].float()
        finite = torch.isfinite(pixels).all()
        if self.device.type != "cuda":
            return Started(pixels, finite, None)
        there = [torch.empty(t.shape, dtype=t.dtype, pin_memory=True) for t in (pixels, finite)]
        for place, result in zip(there, (pixels, finite), strict=True):
            place.copy_(result, non_blocking=True)
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record(torch.cuda.current_stream(self.device))
        return Started(there[0], there[1], event)

    def _apply(self, given: Tensor) -> Tensor:
        if given.numel() > RECORDED_UP_TO_PX:
            return self._network(given)
        fields = tuple(tuple(attention.pooling_px or ()) for attention in self.attentions[:1])
        return self.graphs.call((given.shape, fields), self._network, given)

    def _network(self, given: Tensor) -> Tensor:
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.half):
            output: Tensor = self.model(given)
        return output

    @staticmethod
    def finish(started: Started) -> np.ndarray:
        """Return a tile that was started.

        Raises
        ------
        NotFinite
            The network gives what is no number.
        """
        if started.event is not None:
            started.event.synchronize()
        if not started.finite:
            raise NotFinite(
                "the model gives NaN or Inf; check that the counts are like those that it was "
                "trained on, or use another model"
            )
        return started.pixels.numpy()
