"""What the machine itself can do: the floor that the other benchmarks are held against."""

import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Time one call, waiting for the device at both ends."""
    wait_for(device)
    began = time.perf_counter()
    work()
    wait_for(device)
    return time.perf_counter() - began


def wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def product_rate(device: torch.device, dtype: torch.dtype, rounds: int = 9) -> float:
    """Measure FLOP/s of a product of large square matrices."""
    side = 8192 if device.type == "cuda" else 2048
    a, b = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    seconds(lambda: a @ b, device)
    return 2 * side**3 / statistics.median(seconds(lambda: a @ b, device) for _ in range(rounds))


def peak_memory_gb(device: torch.device) -> float:
    """Return the peak of the device's memory, or of this process where that is the CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def reset_peak_memory(device: torch.device) -> None:
    """Let a GPU's peak begin anew; that of a process cannot."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def describe(device: torch.device) -> str:
    """Return machine and versions in one line."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else cpu_name()
    threads = "" if device.type == "cuda" else f", {torch.get_num_threads()} threads"
    return f"{name}{threads}, torch {torch.__version__}, Python {sys.version.split()[0]}"


def cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return "CPU"
