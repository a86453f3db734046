"""How much memory the tensors of a computation hold at once, as its operations run."""

import weakref

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class LiveMemory(TorchDispatchMode):
    """Counts the storages that operations return for as long as something refers to them."""

    def __init__(self):
        super().__init__()
        self.known = set()
        self.bytes = self.peak_bytes = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor):
                self._count(tensor.untyped_storage())
        self.peak_bytes = max(self.peak_bytes, self.bytes)
        return result

    def _count(self, storage):
        key, size = storage._cdata, storage.nbytes()
        if key in self.known:
            return
        self.known.add(key)
        self.bytes += size
        weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key, size):
        self.known.discard(key)
        self.bytes -= size


def live_channels(network, image):
    """Return the most maps of the image's size, in float32, that restoring it holds at once."""
    with torch.inference_mode(), LiveMemory() as memory:
        network(image)
    return memory.peak_bytes / (4 * image.numel())
