"""Work on a GPU as CUDA graphs: recorded once, then launched whole.

A training step or a tile is some hundred to a thousand small launches, and a GPU waits for the next
one most of the time. A graph has them all.
"""

from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from crossres.jobs import logger
from crossres.networks.devices import is_out_of_memory


class Recorded(NamedTuple):
    """A graph with the tensors that it reads and writes."""

    graph: torch.cuda.CUDAGraph
    inputs: tuple[Tensor, ...]
    result: Tensor


class Graphs:
    """Calls functions of tensors, on a GPU as graphs.

    A function must launch the same work whenever it is called with the same key, change tensors in
    place only, and never wait for the GPU. Its first call is an ordinary one, in which libraries
    choose and load what they need; the second is recorded. Where that fails, it is said, and all
    calls stay ordinary ones.

    Parameters
    ----------
    device
        Where the functions compute.
    wanted
        Whether to record at all; never on a CPU.
    """

    def __init__(self, device: torch.device, wanted: bool = True) -> None:
        self.recording = wanted and device.type == "cuda"
        self.device = device
        self.seen: set[Hashable] = set()
        self.recorded: dict[Hashable, Recorded] = {}
        self.aside: Any = None

    def call(self, key: Hashable, function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
        """Return a function's result, which the next call may overwrite.

        Parameters
        ----------
        key
            Stands for the work that is launched, the shapes of the inputs included.
        function
            Gives one tensor.
        inputs
            Its arguments.
        """
        if not self.recording:
            return function(*inputs)
        if key not in self.recorded and key in self.seen:
            self._record(key, function, inputs)
        if key not in self.recorded:
            self.seen.add(key)
            return self._call_aside(function, inputs)
        recorded = self.recorded[key]
        for own, given in zip(recorded.inputs, inputs, strict=True):
            own.copy_(given)
        recorded.graph.replay()
        return recorded.result

    def _call_aside(self, function: Callable[..., Tensor], inputs: tuple[Tensor, ...]) -> Tensor:
        """Call a function in a stream of its own, as it must have been before it is recorded."""
        here = torch.cuda.current_stream(self.device)
        self.aside = self.aside or torch.cuda.Stream(self.device)  # type: ignore[no-untyped-call]
        self.aside.wait_stream(here)
        with torch.cuda.stream(self.aside):
            result = function(*inputs)
        here.wait_stream(self.aside)
        return result

    def _record(
        self, key: Hashable, function: Callable[..., Tensor], inputs: tuple[Tensor, ...]
    ) -> None:
        own = tuple(tensor.clone() for tensor in inputs)
        graph = torch.cuda.CUDAGraph()
        # graphs follow each other, none needs what another left behind: they share their memory
        pool = next((r.graph.pool() for r in self.recorded.values()), None)
        try:
            # another thread may prepare batches meanwhile
            with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
                result = function(*own)
        except (RuntimeError, MemoryError) as error:
            self.recording = False
            self.recorded.clear()
            torch.cuda.empty_cache()
            why = next(iter(str(error).splitlines()), "for no stated reason")
            if is_out_of_memory(error):
                why = "the memory does not suffice"
            logger.warning("work is not recorded as a CUDA graph, and slower: %s", why)
            return
        self.recorded[key] = Recorded(graph, own, result)
