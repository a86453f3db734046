"""Fields of an experiment that simulates its microscopes, registered and normalised in memory.

What the workflow does from simulate_acquisition to extract_patches, for the benchmarks that need a
few fields and no files.
"""

import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from crossres.patches import TargetNoise, target_noise  # noqa: E402
from crossres.preprocess import RoleConstants, Scale, scale_from_percentiles  # noqa: E402
from crossres.preprocess.noise import noise_line  # noqa: E402
from crossres.registration import register_pair  # noqa: E402
from crossres.settings import ExperimentSettings, load_experiment_settings  # noqa: E402
from crossres.simulate import acquire  # noqa: E402


@dataclass(frozen=True)
class SimulatedFields:
    """Normalised fields by split, and what the microscope would have given without noise.

    Parameters
    ----------
    inputs, targets
        (N, Y, X) float32 by split.
    noiseless
        (N, Y, X) counts of the target's microscope, in the input's frame, by split.
    scales
        Of ``input`` and ``target``.
    noise
        Of normalised targets, estimated from the raw ones.
    """

    inputs: Mapping[str, np.ndarray]
    targets: Mapping[str, np.ndarray]
    noiseless: Mapping[str, np.ndarray]
    scales: Mapping[str, Scale]
    noise: TargetNoise


def simulate_fields(
    experiment: str, counts: Mapping[str, int], field_px: int, workers: int
) -> SimulatedFields:
    """Simulate and register as many fields of each split; one not accepted is an error."""
    settings = load_experiment_settings(experiment, "paper", ROOT / "config" / "experiments")
    numbers = range(sum(counts.values()))
    jobs = [(settings, field_px, number) for number in numbers]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        fields = list(pool.map(_field, jobs))
    refused = [values["reason"] for _, _, _, values in fields if not values["accepted"]]
    if refused:
        raise SystemExit(f"{len(refused)} simulated pairs do not register: {refused[0]}")
    splits = [split for split, count in counts.items() for _ in range(count)]
    pairs = np.stack([pair for pair, *_ in fields])
    train = np.array([split == "train" for split in splits])
    scales = {
        role: scale_from_percentiles(pairs[train, place], *settings.patches.percentiles)
        for place, role in enumerate(("input", "target"))
    }
    raw = [target for (_, target, _, _), known in zip(fields, train, strict=True) if known]
    constants = RoleConstants(
        pixel_size_nm=settings.modalities.target.pixel_size_nm, noise=noise_line(lambda: iter(raw))
    )
    rows = pd.DataFrame([values for *_, values in fields])[train]
    noise = target_noise(constants, scales["target"], rows)
    assert noise is not None
    chosen = {split: np.array([s == split for s in splits]) for split in counts}
    truths = np.stack([truth for _, _, truth, _ in fields])
    return SimulatedFields(
        inputs={s: scales["input"].apply(pairs[c, 0]) for s, c in chosen.items()},
        targets={s: scales["target"].apply(pairs[c, 1]) for s, c in chosen.items()},
        noiseless={s: truths[c] for s, c in chosen.items()},
        scales=scales,
        noise=noise,
    )


def _field(
    job: tuple[ExperimentSettings, int, int],
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, object]]:
    settings, field_px, number = job
    torch.set_num_threads(1)
    simulator = settings.source.simulator
    assert simulator is not None
    acquisition = simulator.acquisition.model_copy(update={"field_px": field_px})
    acquired = acquire(
        simulator.sample,
        acquisition,
        settings.modalities,
        simulator.channel,
        number,
        simulator.seed,
    )
    fixed, raw = (acquired.images[role][""] for role in ("input", "target"))
    step_nm = settings.modalities.target.pixel_size_nm
    found = register_pair(
        fixed.astype(np.float32), raw.astype(np.float32), settings.registration, (step_nm, step_nm)
    )
    return found.pair, raw, acquired.noiseless, found.values
