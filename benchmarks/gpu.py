"""All that a GPU is needed for, in one command of at most six minutes.

    python benchmarks/gpu.py [FOLDER] [--parts tests training restoration papers] [--limit-s 340]

It needs Python >= 3.11, torch >= 2.6 for CUDA, and these packages, however they are installed:
numpy, scipy, scikit-image, pandas, tifffile, safetensors, pydantic, PyYAML, tqdm; pytest for 1.

1. the tests that only a GPU can run;
2. a training step of every network at the papers' sizes beside the plain version of
   benchmarks/training.py;
3. images and a volume restored, beside the plain version of benchmarks/restoration.py;
4. gan, cnn, tcan and rcan trained at the papers' widths on simulated fields of 1,024 x 1,024
   pixels, for thousands of iterations and not hundreds of thousands, and scored on blind fields
   against the noiseless truth: does a generator paint stripes, does a training diverge, has the
   discriminator a say?

FOLDER/gpu.json and FOLDER/gpu.md are written anew after every case: what is done is kept.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import restoration
import torch
import training
from machine import describe, product_rate, reset_peak_memory
from simulated_fields import ROOT, SimulatedFields, simulate_fields

from crossres.catalogue.networks import NETWORKS, Network
from crossres.measure.background import object_free_blocks, stripes
from crossres.measure.similarity import compare
from crossres.networks import precision_of
from crossres.restoration import Inference, restore
from crossres.settings import load_experiment_settings
from crossres.training import Recipe, TrainingData, train
from crossres.training.batches import ANY_CROP

PARTS = ("tests", "training", "restoration", "papers")
GPU = torch.device("cuda", 0)

STEPS = {"gan": 2, "rcan 3D": 2, "tcan": 2, "rcan": 2, "cnn": 1, "care": 1, "dfcan": 1}
"""Rounds of each case of training."""

COMPILED = ("rcan 3D", "tcan", "rcan", "gan")
"""Cases whose step is timed once more as torch compiles it, which takes half a minute each."""

TRAININGS: dict[str, tuple[str, int, dict[str, Any]]] = {
    "gan": ("gan", 3000, {}),
    "tcan": ("tcan", 1500, {}),
    "cnn": ("cnn", 3000, {}),
    "rcan": ("rcan", 1500, {}),
    "gan, published loss": ("gan", 3000, {"adversarial": {"recipe": "published"}}),
    "tcan, published loss": ("tcan", 1500, {"adversarial": {"recipe": "published"}}),
}
"""Network, iterations, and what differs from the experiment's settings, in each training."""

FIELDS = {"train": 32, "validation": 3, "test": 6}
FIELD_PX, PATCH_PX = 1024, 256

DIVERGED = 1.0
"""A validation MSE above the targets' variance: the restoration is worse than a constant."""

Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "benchmarks/results/gpu")
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--limit-s", type=float, default=340, help="no case begins after so long")
    parser.add_argument("--shorter", type=int, default=1, help="trainings of 4. by this factor")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("torch sees no GPU: nothing is measured")
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    found: dict[str, Any] = {"machine": describe(GPU), "date": time.strftime("%Y-%m-%d")}
    found["bfloat16_product_tflops"] = product_rate(GPU, torch.bfloat16) / 1e12
    parts = {"tests": tests, "training": steps, "restoration": images, "papers": trainings}
    for part in options.parts:
        found[part] = []
        for row in parts[part](options):
            row["at_s"] = time.monotonic() - began
            found[part].append(row)
            write(options.folder, found)
            print(part, json.dumps(row), flush=True)
            if row["at_s"] > options.limit_s:
                found["cut_short_in"] = part
                write(options.folder, found)
                return


def tests(_: argparse.Namespace) -> Iterator[Row]:
    """Run the tests that are skipped without a GPU."""
    command = [sys.executable, "-m", "pytest", "-q", "tests/unit/training/test_on_gpu.py"]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    yield {"passed": done.returncode == 0, "last_lines": done.stdout.strip().splitlines()[-40:]}


def steps(_: argparse.Namespace) -> Iterator[Row]:
    """Time training steps beside the plain version."""
    for name, rounds in STEPS.items():
        versions: dict[str, list[Row]] = {"ours": [], "plain": []}
        for _round in range(rounds):
            for version, rows in versions.items():
                rows.append(training.measure(name, version, "paper", GPU))
                reset_peak_memory(GPU)
        ours, plain = (sorted(rows, key=lambda r: r["step_s"])[0] for rows in versions.values())
        rate = product_rate(GPU, torch.bfloat16)
        compiled: Row = {}
        if name in COMPILED:
            found = training.measure(name, "compiled", "paper", GPU)
            compiled["compiled_ms"] = 1e3 * found["step_s"]
            reset_peak_memory(GPU)
        yield {
            "case": name,
            "batch": ours["batch"],
            "ours_ms": 1e3 * ours["step_s"],
            **compiled,
            "plain_ms": 1e3 * plain["step_s"],
            "plain_takes": plain["step_s"] / ours["step_s"],
            "of_rate": ours["flop"] / ours["step_s"] / rate,
            "peak_gb": ours["peak_gb"],
        }


def images(_: argparse.Namespace) -> Iterator[Row]:
    """Time restorations beside the plain version."""
    for name, case in restoration.CASES.items():
        large = case.get("save", False)
        row = restoration.measure(case, GPU, rounds=2 if large else 9)
        reset_peak_memory(GPU)
        rate = product_rate(GPU, torch.bfloat16)
        yield {
            "case": name,
            "ours_ms": 1e3 * row["ours_s"],
            "plain_ms": 1e3 * row["plain_s"],
            "plain_takes": row["ratio"],
            "of_rate": row["flop"] / row["ours_s"] / rate,
            "difference": row["difference"],
        }


def trainings(options: argparse.Namespace) -> Iterator[Row]:
    """Train at the papers' widths, and score on blind fields against the noiseless truth."""
    fields = simulate_fields("confocal_sted_beads", FIELDS, FIELD_PX, workers=os.cpu_count() or 1)
    experiment = load_experiment_settings(
        "confocal_sted_beads", "paper", ROOT / "config" / "experiments"
    )
    yield {"case": "confocal", **scores(fields, fields.inputs["test"], "input")}
    for name, (network, iterations, changes) in TRAININGS.items():
        iterations //= options.shorter
        given = getattr(experiment.networks, network).as_params()
        given |= {"iterations": iterations, "validate_every": iterations // 5}
        settings = NETWORKS[network](**{**given, **changes})
        yield {"case": name, **trained(network, settings, fields)}


def trained(name: str, settings: Network, fields: SimulatedFields) -> Row:
    """Train one network and score what it makes of the blind fields."""
    patches = [
        np.concatenate([tiles(field) for field in images["train"]])
        for images in (fields.inputs, fields.targets)
    ]
    validation = fields.inputs["validation"], fields.targets["validation"]
    data = TrainingData(*patches, *validation, fields.noise)
    network = Recipe(name, settings, ANY_CROP, 2, seed=0).build((PATCH_PX, PATCH_PX))
    reset_peak_memory(GPU)
    torch.cuda.synchronize()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "training_state.pt"
        weights, history = train(network, data, settings, 0, GPU, state, "benchmark")
    took = time.monotonic() - began
    network.load_state_dict(weights)
    half = precision_of(settings.precision, GPU) == torch.bfloat16
    inference = Inference(network, GPU, half)
    restored = np.stack([restore(inference, image) for image in fields.inputs["test"]])
    last = history.iloc[-1]
    row = {
        "iterations": settings.iterations,
        "seconds": took,
        "kept_iteration": int(history[history.kept].iteration.iloc[0]),
        "diverged": bool(history.validation_relative_mse.iloc[-2:].max() > DIVERGED),
        **scores(fields, restored, "target"),
    }
    for column in ("adversarial_part_of_gradient", "adversarial_share", "discriminator_loss"):
        if column in history:
            row[column] = float(last[column])
    return row


def tiles(field: np.ndarray) -> np.ndarray:
    """Cut a field into square patches, (N, PATCH_PX, PATCH_PX)."""
    side = FIELD_PX // PATCH_PX
    field = np.pad(field, [(0, FIELD_PX - n) for n in field.shape], mode="reflect")
    cut = field.reshape(side, PATCH_PX, side, PATCH_PX).swapaxes(1, 2)
    return np.ascontiguousarray(cut.reshape(-1, PATCH_PX, PATCH_PX))


def scores(fields: SimulatedFields, images: np.ndarray, role: str) -> Row:
    """Return mean scores of normalised images against the noiseless truth."""
    rows = []
    for image, target, truth in zip(
        images, fields.targets["test"], fields.noiseless["test"], strict=True
    ):
        counts, free = fields.scales[role].invert(image), object_free_blocks(target)
        blocks = np.stack([counts[block].astype(float) for block in free])
        similar = compare(counts, truth)
        rows.append({
            "r": similar["pearson_r"],
            "nrmse": similar["nrmse"],
            "ssim": similar["ssim"],
            "background_sd": float(np.median(blocks.std(axis=(1, 2)))),
            "stripes": stripes(blocks),
        })  # fmt: skip
    return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}


def write(folder: Path, found: dict[str, Any]) -> None:
    (folder / "gpu.json").write_text(json.dumps(found, indent=1))
    lines = [f"{found['machine']}; {found['date']}; bfloat16 product "
             f"{found['bfloat16_product_tflops']:.0f} TFLOP/s", ""]  # fmt: skip
    for part in ("training", "restoration", "papers"):
        rows = found.get(part, [])
        columns = list(dict.fromkeys(key for row in rows for key in row if key != "at_s"))
        if rows:
            lines += ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
            lines += ["| " + " | ".join(cell(row.get(c)) for c in columns) + " |" for row in rows]
            lines.append("")
    (folder / "gpu.md").write_text("\n".join(lines))


def cell(value: Any) -> str:
    return "" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
