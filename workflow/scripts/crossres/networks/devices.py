"""Where networks train and restore, and in which precision."""

import torch

from crossres.jobs import InputError, logger

NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "Cannot allocate")


def choose_device(wanted: str, threads: int, rank: int = 0) -> torch.device:
    """Return the device asked for, and say which it is; never fall back in silence.

    Parameters
    ----------
    wanted
        "auto": a GPU where there is one; "cpu"; "cuda": a GPU or an error.
    threads
        Cores to use on the CPU.
    rank
        Which GPU to use, where several processes share a training.

    Raises
    ------
    InputError
        A GPU was required and none is there.
    """
    torch.set_num_threads(threads)
    # float32 is meant where it is asked for; torch would round its convolutions to 10 bits
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
    """Is bfloat16 worth its rounding there: a GPU that computes it natively?

    Emulated, as torch does on older GPUs, it is slower than float32. CPUs that have it gain a
    third of the time, but results would differ from CPU to CPU.
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
    """
    if wanted == "auto":
        return torch.bfloat16 if takes_bfloat16(device) else torch.float32
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[wanted]


def is_out_of_memory(error: Exception) -> bool:
    """Is it an error for want of memory? On a CPU torch has no class of its own for it."""
    known = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return known or any(part in str(error) for part in NO_MEMORY)
