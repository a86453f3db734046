"""A training step beside the plain eager float32 version of the same, and beside the floor.

    python benchmarks/training.py [--device cuda] [--threads 2] [--rounds 3] [--size demo|paper]
                                  [--compile]

Ours is `crossres.training.train` as the workflow calls it: batches ahead, channels last, bfloat16
where the device has it, losses read now and then. Plain is what one writes first: the same network,
batch, losses and Adam in float32, channels first, each batch drawn and sent when it is needed,
each loss read at once. With --compile ours is run again as torch.compile makes it. All are timed
as the difference of a long and a short training, so that start and validation drop out; each in a
process of its own, for its peak memory, and in turns.
FLOP are counted by torch for one plain step; the rate is held against that of a matrix product
in the same precision.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from machine import describe, peak_memory_gb, product_rate, reset_peak_memory, seconds
from torch.utils.flop_counter import FlopCounterMode

from crossres.catalogue.networks import NETWORKS, Network
from crossres.networks import PatchDiscriminator, precision_of
from crossres.training import ProcessGroup, Recipe, TrainingData, train
from crossres.training.batches import ANY_CROP, Sampling, draw_batch
from crossres.training.losses import FIDELITY, discriminator_term, generator_term

PUBLISHED = {"recipe": "published"}
SMALL = {**PUBLISHED, "width": 8, "downsample": True}
CASES: dict[str, dict[str, Any]] = {
    "demo": {
        "cnn": {"dims": 2, "patch": (64, 64), "width": 16},
        "gan": {"dims": 2, "patch": (64, 64), "width": 16, "adversarial": SMALL},
        "rcan": {"dims": 2, "patch": (64, 64), "width": 16, "groups": 2, "blocks": 2, "batch": 12},
        "tcan": {"dims": 2, "patch": (64, 64), "width": 8, "groups": 2, "batch": 12,
                 "adversarial": SMALL},
        "rcan 3D": {"dims": 3, "patch": (8, 64, 64), "width": 16, "groups": 2, "blocks": 2,
                    "batch": 1},
    },
    "paper": {
        "gan": {"dims": 2, "patch": (64, 64), "adversarial": PUBLISHED},
        "cnn": {"dims": 2, "patch": (64, 64)},
        "rcan": {"dims": 2, "patch": (64, 64)},
        "rcan 3D": {"dims": 3, "patch": (16, 256, 256), "batch": 1},
        "tcan": {"dims": 2, "patch": (256, 256), "adversarial": PUBLISHED},
        "dfcan": {"dims": 2, "patch": (64, 64)},
        "care": {"dims": 2, "patch": (128, 128)},
        "srresnet": {"dims": 2, "patch": (128, 128)},
        "esrgan": {"dims": 2, "patch": (128, 128), "batch": 4},
    },
}  # fmt: skip
"""Networks at the size of the demo, and at that of the papers, which wants a GPU."""

PRECISIONS = ("float32", "bfloat16")

ITERATIONS = {"cpu": (4, 24), "cuda": (10, 60)}
"""Of the short and of the long training; a GPU's first steps prepare graphs of the others."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", choices=CASES, default="demo")
    parser.add_argument("--networks", nargs="*")
    parser.add_argument("--compile", action="store_true", help="ours again, compiled by torch")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = torch.device(options.device)
    if options.case:
        name, version = options.case.split("/")
        print(json.dumps(measure(name, version, options.size, device)))
        return
    print(describe(device))
    versions = ("ours", "plain", *["compiled"] * options.compile)
    heads = ["network", "batch", *("ms", "GB", "TFLOP/s", "of rate") * len(versions)]
    heads += [f"plain/{version}" for version in versions if version != "plain"]
    print(f"{'':>24}" + "".join(f"{version:>48}" for version in versions))
    print("".join(f"{head:>12}" for head in heads))
    for name in options.networks or CASES[options.size]:
        rounds = [
            {version: in_own_process(name, version, options) for version in versions}
            for _ in range(options.rounds)
        ]
        # beside the rounds, as what a machine can do changes by the hour
        rates = {kind: product_rate(device, getattr(torch, kind)) for kind in PRECISIONS}
        print(row(name, rounds, rates), flush=True)


def row(name: str, rounds: list[dict[str, Any]], rates: dict[str, float]) -> str:
    cells = [name, str(rounds[0]["ours"]["batch"])]
    for version in rounds[0]:
        found = rounds[0][version]
        step_s = statistics.median(r[version]["step_s"] for r in rounds)
        rate = found["flop"] / step_s
        cells += [f"{1e3 * step_s:.1f}", f"{found['peak_gb']:.2f}", f"{rate / 1e12:.3g}"]
        cells += [f"{rate / rates[found['precision']]:.0%}"]
    for version in (version for version in rounds[0] if version != "plain"):
        ratio = statistics.median(r["plain"]["step_s"] / r[version]["step_s"] for r in rounds)
        cells.append(f"{ratio:.2f}")
    return "".join(f"{cell:>12}" for cell in cells)


def in_own_process(name: str, version: str, options: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, __file__, "--case", f"{name}/{version}", "--size", options.size]
    command += ["--device", options.device, "--threads", str(options.threads)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(name: str, version: str, size: str, device: torch.device) -> dict[str, Any]:
    """Return seconds and FLOP a step, peak memory and precision of one version of one case."""
    case = dict(CASES[size][name])
    network, dims, patch = name.split()[0], case.pop("dims"), case.pop("patch")
    given = {"validate_every": 10**6, "compile": version == "compiled", **case}

    def recipe(iterations: int) -> Recipe:
        settings = NETWORKS[network](iterations=iterations, **given)
        return Recipe(network, settings, ANY_CROP, dims, seed=0)

    short, long = ITERATIONS[device.type]
    settings = recipe(long).settings
    rng = np.random.default_rng(0)
    shape = (2 * settings.batch, *patch)
    x, y = rng.random((2, *shape)).astype(np.float32)
    field = [x[0][..., :64, :64]]
    # nothing is learnt from noise, and a loss beside a discriminator may grow: not beyond these
    data = TrainingData(x, y, field, [1e4 * field[0]])
    flop = count_flop(recipe(1), data, device)
    # which training switches on for all of torch
    torch.backends.cudnn.benchmark = False
    work = plain if version == "plain" else ours
    work(recipe(short), data, device)
    reset_peak_memory(device)
    times = {
        count: seconds(lambda n=count: work(recipe(n), data, device), device)
        for count in (short, long)
    }
    wanted = "float32" if version == "plain" else settings.precision
    return {
        "step_s": (times[long] - times[short]) / (long - short),
        "flop": flop,
        "peak_gb": peak_memory_gb(device),
        "precision": str(precision_of(wanted, device)).removeprefix("torch."),
        "batch": settings.batch,
    }


def networks_of(recipe: Recipe, data: TrainingData, device: torch.device) -> list[torch.nn.Module]:
    found: list[torch.nn.Module] = [recipe.build(data.train_inputs[0].shape)]
    if recipe.settings.adversarial:
        found.append(PatchDiscriminator(recipe.settings.adversarial))
    return [net.to(device).train() for net in found]


def ours(recipe: Recipe, data: TrainingData, device: torch.device) -> None:
    generator = networks_of(recipe, data, device)[0]
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state.pt"
        train(generator, data, recipe.settings, 0, device, state, "benchmark")


def plain(recipe: Recipe, data: TrainingData, device: torch.device) -> None:
    nets = networks_of(recipe, data, device)
    optimisers = [torch.optim.Adam(net.parameters()) for net in nets]
    settings = recipe.settings
    sampling = Sampling(settings.batch, settings.augment, seed=0)
    for iteration in range(settings.iterations):
        x, y = draw_batch(data.train_inputs, data.train_targets, sampling, iteration)
        plain_step(nets, optimisers, settings, x.to(device), y.to(device))


def plain_step(
    nets: list[torch.nn.Module],
    optimisers: list[torch.optim.Optimizer],
    settings: Network,
    x: torch.Tensor,
    y: torch.Tensor,
) -> None:
    restored = nets[0](x)
    loss = sum(weight * FIDELITY[term](restored, y) for term, weight in settings.loss.items())
    if settings.adversarial:
        kind = settings.adversarial.kind
        of_target = nets[1](y) if kind != "standard" else None
        loss = loss + generator_term(kind, nets[1](restored), of_target, ProcessGroup())
    optimisers[0].zero_grad()
    loss.backward()
    optimisers[0].step()
    loss.item()
    if settings.adversarial:
        lost = discriminator_term(kind, nets[1](restored.detach()), nets[1](y), ProcessGroup())
        optimisers[1].zero_grad()
        lost.backward()
        optimisers[1].step()
        lost.item()


def count_flop(recipe: Recipe, data: TrainingData, device: torch.device) -> int:
    """Count the FLOP of one plain step, forward and backward."""
    with FlopCounterMode(display=False) as counter:
        plain(recipe, data, device)
    return counter.get_total_flops()


if __name__ == "__main__":
    main()
