"""Quality for the time: our networks beside CAREamics' CARE and Lucy-Richardson, on measured pairs.

    python benchmarks/quality.py --careamics-python careamics-env/bin/python [--minutes 2]
        [--data-root folder] [--seeds 0 1 2] [--channels ...] [--networks ...] [--threads 2]

The workflow prepares the fields of the experiment confocal_sted_real (docs/real-data.md says where
its images come from): cut, registered, patches drawn. All then learn from the same training fields,
choose by the same validation fields, and restore the same blind fields, which none has seen; one
piece of code measures them all, the input itself included. Training takes the same minutes of wall
clock on the same cores, validation included: of ours, the iterations that fit are found by a short
trial first; CAREamics is stopped by its clock, after as long as the longest of ours took where that
is more. Rows with "x8" are the same networks, the mean of all eight orientations taken
(`self_ensemble`). Lucy-Richardson has no training: its iterations, damping and width of the PSF are
those of the highest correlation on the validation fields.

CAREamics imports torchvision, and with it a torch of its own choice: benchmarks/peers/
careamics_care.py says how to make its environment, and what its defaults are. Without
--careamics-python it is left out.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from machine import describe
from real_fields import ROOT, Fields, load_fields, prepare

from crossres.catalogue.networks import NETWORKS
from crossres.deconvolution.baseline import iterate_baseline
from crossres.deconvolution.tuning import search
from crossres.figures.examples import Example, plot_examples
from crossres.jobs import InputError
from crossres.measure.similarity import compare
from crossres.optics import modality_psf
from crossres.restoration import restore
from crossres.restoration.ensembles import ORIENTATIONS, Oriented
from crossres.settings import ExperimentSettings, Patches
from crossres.training import Foreground, Recipe, TrainingData, train

CHANNELS = ("nuclear_pores", "membrane")
METRICS = ("ssim", "psnr_db", "pearson_r")

COMPARED = ("cnn", "gan", "rcan", "tcan")
"""Trained by the catalogue's demo, which was found on other fields and these validation fields."""

VALIDATIONS = 20
PART_OF_BUDGET = 0.95
"""What the trial aims at, as a step takes now more and now less."""

PSF_WIDENINGS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
"""Of the experiment's residual blur, which is an estimate: Lucy-Richardson may choose."""


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    keep_to(options.threads)
    folder = options.folder.resolve()
    try:
        settings = prepare(folder, options.data_root, options.channels, options.threads)
    except InputError as error:
        print(f"left out: {error}")
        return
    print(f"{describe(torch.device('cpu'))}; {options.minutes:g} minutes of training each")
    if options.careamics_python is None:
        print("CAREamics is left out: --careamics-python names the Python of its environment")
    rows = []
    for channel in options.channels:
        rows += compare_methods(load_fields(folder, channel), channel, settings, options, folder)
    table = summary(pd.DataFrame(rows))
    (folder / "quality.json").write_text(json.dumps(rows, indent=1))
    (folder / "quality.md").write_text(as_markdown(table))
    print(as_markdown(table))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--careamics-python", type=Path)
    parser.add_argument("--data-root", type=Path, help="by default that of the experiment's file")
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--channels", nargs="+", choices=CHANNELS, default=list(CHANNELS))
    parser.add_argument("--networks", nargs="*", choices=NETWORKS, default=COMPARED)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=ROOT / "benchmarks" / "results" / "quality")
    return parser.parse_args()


def keep_to(cores: int) -> None:
    """Keep this process and what it starts to some of the machine's cores, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def compare_methods(
    fields: Fields,
    channel: str,
    settings: ExperimentSettings,
    options: argparse.Namespace,
    folder: Path,
) -> list[dict[str, Any]]:
    """Restore the blind fields of a channel by every method and seed, and measure them."""
    results = folder / channel
    results.mkdir(exist_ok=True)
    rows: list[dict[str, Any]] = []
    shown: dict[str, dict[str, np.ndarray]] = {}

    def take(method: str, seed: int | None, images: dict[str, np.ndarray], **facts: Any) -> None:
        if not method.endswith(" x8"):
            shown.setdefault(method, images)
        found = [measured(fields, name, image) for name, image in images.items()]
        common = {"channel": channel, "method": method, "seed": seed, **facts}
        rows.extend({**common, "field": n, **m} for n, m in zip(images, found, strict=True))
        means = pd.DataFrame(found)[list(METRICS)].mean()
        numbers = " ".join(f"{metric} {value:.3f}" for metric, value in means.items())
        print(f"{channel} {method} {'' if seed is None else seed}: {numbers} {facts}", flush=True)

    take("input", None, fields.blind)
    images, facts = deconvolve(fields, settings)
    take("richardson_lucy", None, images, **facts)
    for seed in options.seeds:
        longest = 60 * options.minutes
        for network in options.networks:
            model, facts = train_ours(network, fields, settings.patches, seed, options.minutes)
            longest = max(longest, facts["seconds"])
            take(network, seed, restore_blind(model, fields, ORIENTATIONS[:1]), **facts)
            take(f"{network} x8", seed, restore_blind(model, fields, ORIENTATIONS), **facts)
        if options.careamics_python is not None:
            images, facts = run_careamics(fields, seed, longest / 60, options, results)
            take("careamics", seed, images, **facts)
    draw(fields, shown, results / "examples.png")
    return rows


def measured(fields: Fields, name: str, image: np.ndarray) -> dict[str, float]:
    values = compare(fields.crop(name, image), fields.truth[name][1])
    return {metric: values[metric] for metric in METRICS}


def deconvolve(
    fields: Fields, settings: ExperimentSettings
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the blind fields by Lucy-Richardson at what is best on the validation fields."""
    method, microscope = "richardson_lucy", settings.modalities.input
    background, grid = settings.deconvolution.background, settings.deconvolution.methods[method]
    psfs = {
        blur_nm: modality_psf(
            microscope.model_copy(update={"residual_blur_nm": blur_nm}), fields.pixel_size_nm
        )
        for blur_nm in (part * microscope.residual_blur_nm for part in PSF_WIDENINGS)
    }
    scores = {}
    for blur_nm, psf in psfs.items():
        of_fields = [
            search(method, grid, x, target, psf, background)
            for x, target in fields.validation.values()
        ]
        for damping, means in zip(grid.values, np.mean(of_fields, axis=0), strict=True):
            scores[blur_nm, damping, int(means.argmax()) + 1] = float(means.max())
    blur_nm, damping, iterations = max(scores, key=lambda key: scores[key])
    restored = {}
    for name, image in fields.blind.items():
        *_, restored[name] = iterate_baseline(
            method, image, psfs[blur_nm], iterations, damping, background
        )
    return restored, {"steps": iterations, "damping": damping, "residual_blur_nm": blur_nm}


def train_ours(
    network: str, fields: Fields, patches: Patches, seed: int, minutes: float
) -> tuple[torch.nn.Module, dict[str, Any]]:
    """Train a network for so many minutes."""
    data = TrainingData(
        fields.patches.inputs,
        fields.patches.targets,
        fields.validation_patches.inputs,
        fields.validation_patches.targets,
        fields.patches.noise,
    )
    step_s, validation_s = trial(network, data, patches, seed)
    iterations = iterations_within(PART_OF_BUDGET * 60 * minutes, step_s, validation_s)
    model, history, seconds = timed_training(network, data, patches, seed, iterations, VALIDATIONS)
    kept = history[history.kept].iloc[0]
    return model, {
        "seconds": round(seconds, 1),
        "steps": iterations,
        "kept_step": int(kept.iteration),
        "parameters": sum(weight.numel() for weight in model.parameters()),
    }


def restore_blind(
    model: torch.nn.Module, fields: Fields, orientations: Sequence[tuple[bool, bool, bool]]
) -> dict[str, np.ndarray]:
    """Return the mean restoration of each blind field over some of its eight orientations."""
    before, after = fields.patches.scales["input"], fields.patches.scales["target"]
    restored = {}
    for name, image in fields.blind.items():
        mean = np.zeros_like(image)
        for orientation in orientations:
            turned, back = Oriented(before.apply(image), orientation), np.empty_like(image)
            whole = tuple(slice(0, side) for side in turned.shape)
            found = restore(model, np.ascontiguousarray(turned[whole]))
            Oriented(back, orientation)[whole] = found
            mean += back / len(orientations)
        restored[name] = after.invert(mean)
    return restored


def trial(network: str, data: TrainingData, patches: Patches, seed: int) -> tuple[float, float]:
    """Return seconds a step and a validation, from two short trainings after a first one."""
    short, long = 10, 40
    timed_training(network, data, patches, seed, short, 1)
    times = [timed_training(network, data, patches, seed, n, 1)[2] for n in (short, long)]
    step_s = (times[1] - times[0]) / (long - short)
    # a training validates before its first step and after its last
    return step_s, max(0.0, times[0] - short * step_s) / 2


def iterations_within(budget_s: float, step_s: float, validation_s: float) -> int:
    """Return how many iterations fit into a time, and the validations with them; at least 20.

    Where validations alone would take the time, half of it is left to the steps.
    """
    left_s = max(budget_s - (VALIDATIONS + 1) * validation_s, budget_s / 2)
    return max(VALIDATIONS, int(left_s / max(step_s, 1e-6)))


def timed_training(
    network: str,
    data: TrainingData,
    patches: Patches,
    seed: int,
    iterations: int,
    validations: int,
) -> tuple[torch.nn.Module, pd.DataFrame, float]:
    """Train by the workflow's own loop; return network, history and seconds."""
    recipe = recipe_of(network, iterations, validations, patches, seed)
    model = recipe.build(data.train_inputs[0].shape)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        weights, history = train(
            model,
            data,
            recipe.settings,
            seed,
            torch.device("cpu"),
            Path(folder) / "state.pt",
            "quality",
            foreground=recipe.foreground,
        )
        seconds = time.perf_counter() - began
    model.load_state_dict(weights)
    return model, history, seconds


def recipe_of(
    network: str, iterations: int, validations: int, patches: Patches, seed: int
) -> Recipe:
    """Return the catalogue's demo of a network, for so many iterations."""
    given = {
        **NETWORKS[network].demo,
        "iterations": iterations,
        "validate_every": max(1, iterations // validations),
    }
    settings = NETWORKS[network](**given)
    foreground = Foreground(patches.foreground_level, patches.foreground_fraction)
    return Recipe(network, settings, foreground, dims=2, seed=seed)


def run_careamics(
    fields: Fields, seed: int, minutes: float, options: argparse.Namespace, results: Path
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Train CAREamics' CARE in its own environment; it is given no target of a blind field.

    Raises
    ------
    RuntimeError
        It failed; the message names its log.
    """
    folder = results / f"careamics.seed_{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    given = folder / "fields.npz"
    splits = {"train": fields.train, "validation": fields.validation, "test": fields.blind}
    arrays = {f"{split}_{n}": image for split, part in splits.items() for n, image in part.items()}
    np.savez(given, **arrays)
    command = [options.careamics_python, ROOT / "benchmarks" / "peers" / "careamics_care.py"]
    command += ["--fields", given, "--minutes", minutes, "--seed", seed, "--folder", folder]
    command += ["--threads", options.threads]
    log = folder / "log.txt"
    with log.open("w") as file:
        done = subprocess.run(list(map(str, command)), stdout=file, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise RuntimeError(f"CAREamics ended with {done.returncode}; see {log}")
    facts = json.loads((folder / "facts.json").read_text())
    with np.load(folder / "restored.npz") as file:
        return dict(file), facts


def draw(fields: Fields, shown: Mapping[str, Mapping[str, np.ndarray]], path: Path) -> None:
    """Draw the blind fields by every method, of networks those of the first seed."""
    examples = []
    for name, (_, target) in fields.truth.items():
        images = {method: fields.crop(name, restored[name]) for method, restored in shown.items()}
        examples.append(Example(name, {**images, "target": target}, fields.pixel_size_nm))
    plot_examples(examples).savefig(path)


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Return mean, least and greatest over the seeds of each metric's mean over the fields.

    Parameters
    ----------
    rows
        One per channel, method, seed and field.

    Returns
    -------
    DataFrame
        A row per channel and method, in the order of ``rows``; columns (metric, mean | min | max).
    """
    keys = ["channel", "method"]
    of_seeds = rows.groupby([*keys, "seed"], sort=False, dropna=False)[list(METRICS)].mean()
    return of_seeds.groupby(level=keys, sort=False).agg(["mean", "min", "max"])


def leaders(table: pd.DataFrame, networks: Sequence[str], channel: str) -> list[str]:
    """Return those networks whose means exceed all that are not ours in every metric."""
    means = table.loc[channel].xs("mean", axis=1, level=1)
    ours = means.index.str.removesuffix(" x8").isin(networks)
    ahead = (means[ours] > means[~ours].max()).all(axis=1)
    return list(ahead.index[ahead])


def as_markdown(table: pd.DataFrame) -> str:
    """Return a table a channel: the mean, and in brackets the least and greatest of the seeds."""
    lines = []
    for channel in table.index.unique("channel"):
        lines += [f"| {channel} | SSIM | PSNR (dB) | Pearson r |", "|---|---|---|---|"]
        for method, row in table.loc[channel].iterrows():
            cells = []
            for metric, digits in zip(METRICS, (3, 2, 3), strict=True):
                mean, least, most = (
                    f"{row[metric, kind]:.{digits}f}" for kind in ("mean", "min", "max")
                )
                cells.append(mean if least == most else f"{mean} ({least} to {most})")
            lines.append(f"| {method} | {' | '.join(cells)} |")
        ahead = ", ".join(leaders(table, list(NETWORKS), channel)) or "none"
        lines += ["", f"Ahead of all others in all three: {ahead}.", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
