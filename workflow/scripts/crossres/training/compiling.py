"""Networks as torch compiles them; where it cannot, the network as it is."""

from typing import Any

import torch
from torch import Tensor, nn

from crossres.jobs import logger


def compiled(network: nn.Module, example: Tensor, precision: torch.dtype, twice: bool) -> nn.Module:
    """Return a network compiled by torch, tried on an example, or the network itself.

    torch compiles the way back only when it is first gone, and may fail for want of a compiler, of
    a driver, or of support for a layer: it is tried here, and not in the first step.

    Parameters
    ----------
    network
        On its device, in training.
    example
        (N, 1, [Z,] Y, X), of the size of the batches.
    precision
        Type that convolutions are computed in.
    twice
        Whether the way back is gone twice, to look at gradients before they are applied.
    """
    if twice:
        torch._functorch.config.donated_buffer = False
    found: Any = torch.compile(network)
    # running means of batch normalisation must not learn from the example
    kept = [(buffer, buffer.clone()) for buffer in network.buffers()]
    device = example.device.type
    try:
        with torch.autocast(device, precision, precision != torch.float32):
            restored = found(example)
        restored.float().square().mean().backward()
    except Exception as error:
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        logger.warning("torch cannot compile the network, it is trained as it is: %s", first)
        found = network
    finally:
        network.zero_grad(set_to_none=True)
        with torch.no_grad():
            for buffer, before in kept:
                buffer.copy_(before)
    return found  # type: ignore[no-any-return]
