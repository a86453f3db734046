"""The step of a training as a CUDA graph: recorded once, then launched whole.

At the papers' sizes a step is a thousand small launches, and a GPU waits for the next one most of
the time. A graph has them all.
"""

from collections.abc import Callable, Hashable
from typing import NamedTuple

import torch
from torch import Tensor

from crossres.jobs import logger
from crossres.networks import is_out_of_memory
from crossres.training.running_losses import Names

Step = Callable[..., dict[str, Tensor]]


class Recorded(NamedTuple):
    """A graph with the tensors that it reads and writes."""

    graph: torch.cuda.CUDAGraph
    inputs: tuple[Tensor, ...]
    names: Names
    values: Tensor


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

    def call(self, key: Hashable, function: Step, *inputs: Tensor) -> tuple[Names, Tensor]:
        """Return the names of a function's results, scalars, and their values as one tensor.

        The tensor is overwritten by the next call.

        Parameters
        ----------
        key
            Stands for the work that is launched, the shapes of the inputs included.
        function
            Returns scalars by name.
        inputs
            Its arguments.
        """
        if not self.recording:
            return _stacked(function(*inputs))
        if key not in self.recorded and key in self.seen:
            self._record(key, function, inputs)
        if key not in self.recorded:
            self.seen.add(key)
            return self._aside(function, inputs)
        recorded = self.recorded[key]
        for own, given in zip(recorded.inputs, inputs, strict=True):
            own.copy_(given)
        recorded.graph.replay()
        return recorded.names, recorded.values

    def _aside(self, function: Step, inputs: tuple[Tensor, ...]) -> tuple[Names, Tensor]:
        """Call a function in a stream of its own, as it must have been before it is recorded."""
        here = torch.cuda.current_stream(self.device)
        aside = torch.cuda.Stream(self.device)
        aside.wait_stream(here)
        with torch.cuda.stream(aside):
            names, values = _stacked(function(*inputs))
        here.wait_stream(aside)
        return names, values

    def _record(self, key: Hashable, function: Step, inputs: tuple[Tensor, ...]) -> None:
        own = tuple(tensor.clone() for tensor in inputs)
        graph = torch.cuda.CUDAGraph()
        # graphs follow each other, none needs what another left behind: they share their memory
        pool = next((r.graph.pool() for r in self.recorded.values()), None)
        try:
            # batches are prepared in another thread meanwhile
            with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
                names, values = _stacked(function(*own))
        except (RuntimeError, MemoryError) as error:
            self.recording = False
            self.recorded.clear()
            torch.cuda.empty_cache()
            why = next(iter(str(error).splitlines()), "for no stated reason")
            if is_out_of_memory(error):
                why = "the memory does not suffice"
            logger.warning("steps are not recorded as a CUDA graph, and slower: %s", why)
            return
        self.recorded[key] = Recorded(graph, own, names, values)


def _stacked(results: dict[str, Tensor]) -> tuple[Names, Tensor]:
    values = [result.detach() for result in results.values()]
    return tuple(results), torch.stack(values)
