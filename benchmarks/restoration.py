"""Restoration of whole images beside the plain eager version, a peer's, and the floor.

    python benchmarks/restoration.py [--device auto] [--threads 2] [--rounds 5]
                                     [--careamics-python ~/careamics/bin/python]

Ours is `crossres.restoration.restore`, the model prepared once; plain is the same network called on
the whole image in float32, channels first. Both go from array to array, or save it. The peer is the
U-Net of CAREamics at its default size, called by its own predictor on the same image, in its own
environment (benchmarks/peers/ says how to make one).
FLOP are counted by torch for the plain call; the rate is held against that of a matrix product in
the precision that ours computes in. All take turns; medians of the rounds.
"""

import argparse
import copy
import json
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from machine import describe, peak_memory_gb, product_rate, seconds
from torch.utils.flop_counter import FlopCounterMode

from crossres.images import Image, write_image
from crossres.networks import build, takes_pooling
from crossres.restoration import Inference, restore

CASES: dict[str, dict[str, Any]] = {
    "gan 1024 x 1024": {"network": "gan", "shape": (1024, 1024)},
    "rcan 1024 x 1024": {"network": "rcan", "shape": (1024, 1024), "pooling_px": (64, 64)},
    "tcan 1024 x 1024": {"network": "tcan", "shape": (1024, 1024), "pooling_px": (256, 256)},
    "care 1024 x 1024": {"network": "care", "shape": (1024, 1024)},
    "rcan 12 x 1550 x 1920": {"network": "rcan", "dims": 3, "shape": (12, 1550, 1920),
                              "pooling_px": (16, 256, 256), "gpu": True, "save": True},
}  # fmt: skip
"""Networks at the size of the papers; the volume is that of Chen 2021, saving included."""

PEER = Path(__file__).parent / "peers" / "careamics_predict.py"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--memory-gb", type=float, default=None)
    parser.add_argument("--careamics-python", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = torch.device(options.device)
    kind = torch.bfloat16 if device.type == "cuda" else torch.float32
    rate = product_rate(device, kind)
    print(f"{describe(device)}; matrix product {rate / 1e12:.3g} TFLOP/s in {kind}")
    heads = ("image", "ours s", "of rate", "plain s", "plain/ours", "difference")
    print("".join(f"{head:>24}" for head in heads))
    for name in options.images:
        case = CASES[name]
        if case.get("gpu") and device.type != "cuda":
            print(f"{name:>24}  needs a GPU")
            continue
        print(f"{name:>24}" + report(case, device, rate, options), flush=True)
    print(f"peak memory {peak_memory_gb(device):.2f} GB")
    if options.careamics_python:
        peer_s, flop = of_peer(options)
        part = flop / peer_s / product_rate(device, torch.float32)
        print(f"{'CAREamics 1024 x 1024':>24}{peer_s:>24.3f}{part:>24.0%}")


def report(
    case: dict[str, Any], device: torch.device, rate: float, options: argparse.Namespace
) -> str:
    found = measure(case, device, options.rounds, options.memory_gb)
    part = found["flop"] / found["ours_s"] / rate
    cells = (
        f"{found['ours_s']:.4f}",
        f"{part:.0%}",
        f"{found['plain_s']:.4f}",
        f"{found['ratio']:.2f}",
        f"{found['difference']:.1e}",
    )
    return "".join(f"{cell:>24}" for cell in cells)


def measure(
    case: dict[str, Any], device: torch.device, rounds: int, memory_gb: float | None = None
) -> dict[str, float]:
    """Return seconds of both versions, their ratio and difference, and the FLOP of one image."""
    torch.manual_seed(0)
    dims, shape = case.get("dims", 2), case["shape"]
    field = {"pooling_px": case["pooling_px"]} if takes_pooling(case["network"]) else {}
    network = build(case["network"], dims, **field).to(device).eval()
    image = np.random.default_rng(0).random(shape, dtype=np.float32)
    whole = torch.from_numpy(image)[None, None]
    found: dict[str, Any] = {}
    # the workflow too prepares a model once for all its images
    inference = Inference(copy.deepcopy(network), device)

    def ours() -> None:
        found["ours"] = restore(inference, image, memory_gb=memory_gb)
        save(found["ours"])

    def plain() -> None:
        with torch.inference_mode():
            found["plain"] = network(whole.to(device)).cpu().numpy()[0, 0]
        save(found["plain"])

    def save(restored: np.ndarray) -> None:
        if case.get("save"):
            with tempfile.TemporaryDirectory() as folder:
                axes = "ZYX"[-image.ndim :]
                write_image(Path(folder) / "restored.ome.tif", Image(restored, axes, 65.0))

    with FlopCounterMode(display=False) as counter:
        plain()
    for work in (plain, ours, ours, ours):
        work()
    times = [(seconds(ours, device), seconds(plain, device)) for _ in range(rounds)]
    ours_s, plain_s = (statistics.median(each) for each in zip(*times, strict=True))
    apart = np.sqrt(np.mean((found["ours"] - found["plain"]) ** 2)) / np.ptp(found["plain"])
    return {
        "ours_s": ours_s,
        "plain_s": plain_s,
        "ratio": statistics.median(b / a for a, b in times),
        "difference": float(apart),
        "flop": counter.get_total_flops(),
    }


def of_peer(options: argparse.Namespace) -> tuple[float, int]:
    """Return the median of CAREamics' seconds for a 1,024 x 1,024 image, and its network's FLOP."""
    command = [str(options.careamics_python), str(PEER), "--device", options.device]
    command += ["--threads", str(options.threads), "--rounds", str(options.rounds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return statistics.median(found["seconds"]), found["flop"]


if __name__ == "__main__":
    main()
