"""Where networks train and restore, and in which precision."""

import re

import torch

from crossres.jobs import InputError, logger

NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "Cannot allocate")


def choose_device(wanted: str, threads: int, rank: int = 0) -> torch.device:
    """Return the device asked for and log which it is; never fall back silently.

    Parameters
    ----------
    wanted
        "auto": a GPU if there is one; "cpu"; "cuda": a GPU or an error.
    threads
        Cores to use on the CPU.
    rank
        Which GPU to use, if several processes share a training.

    Raises
    ------
    InputError
        A GPU is required and there is none.
    """
    torch.set_num_threads(threads)
    # torch would round float32 convolutions to 10 bits
    torch.backends.cudnn.allow_tf32 = False
    if wanted == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "device: cuda is required by the configuration, but torch sees no GPU; "
            "set device: auto or cpu, or install the CUDA build of torch"
        )
    if wanted != "cpu" and torch.cuda.is_available():
        logger.info("device: %s", torch.cuda.get_device_name(rank))
        return torch.device("cuda", rank)
    logger.info("device: CPU, %d threads", threads)
    return torch.device("cpu")


def takes_bfloat16(device: torch.device) -> bool:
    """Is it a GPU that computes bfloat16 natively?

    Older GPUs emulate it, slower than float32. CPUs that have it save a third of the time, but
    results would differ from CPU to CPU.
    """
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def precision_of(wanted: str, device: torch.device) -> torch.dtype:
    """Return the type that convolutions are computed in; losses are always float32.

    Parameters
    ----------
    wanted
        "auto", "float32" or "bfloat16".
    device
        Where they are computed.

    Raises
    ------
    InputError
        A GPU that only emulates bfloat16 is to compute it.
    """
    if wanted == "bfloat16" and device.type == "cuda" and not takes_bfloat16(device):
        raise InputError(
            f"precision: bfloat16 is asked for, but {torch.cuda.get_device_name(device)} only "
            "emulates it, slower than float32; set precision: auto"
        )
    if wanted == "auto":
        return torch.bfloat16 if takes_bfloat16(device) else torch.float32
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[wanted]


def gpu_failure(error: Exception) -> str | None:
    """Return why a GPU failed, as CUDA says it; None if the error is another one."""
    found = re.search(r"CUDA error: (.*)", str(error))
    return None if found is None or is_out_of_memory(error) else found[1]


def is_out_of_memory(error: Exception) -> bool:
    """Did the memory run out? On a CPU torch has no class of its own for that."""
    known = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return known or any(part in str(error) for part in NO_MEMORY)
