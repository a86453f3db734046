"""CAREamics' CARE, trained for so many minutes, in an environment of its own.

benchmarks/quality.py runs it. CAREamics brings torchvision, and with it a torch of its own choice:

    python3.11 -m venv careamics-env
    careamics-env/bin/pip install "careamics==0.3.5"

Where pip is told of a torch that has no torchvision of the same build (a folder of wheels, an index
of CPU builds), name a pair that belongs together: "torch==2.8.*" "torchvision==0.23.*".

Everything is CAREamics' default: normalised by mean and standard deviation, flips and rotations, a
U-Net of depth 2 with 32 channels, mean absolute error, Adam at 1e-3 that is reduced on plateaus,
the checkpoint of the lowest validation loss. It has no default for patches and batches; 64 x 64 px
and 8 are those of its guide. Two things make it train for just the minutes given: the epochs are
not limited but the clock is, and early stopping, which would end it sooner, is off.

    careamics_care.py --fields fields.npz --minutes 2 --seed 0 --threads 2 --folder out

fields.npz holds pairs (2, Y, X), named train_<name> and validation_<name>, and images (Y, X), named
test_<name>. The folder receives restored.npz, images (Y, X) by name, and facts.json.
"""

import argparse
import json
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from careamics import CAREamist
from careamics.config import create_advanced_care_config
from lightning.pytorch.callbacks import Callback

PATCH_PX = 64
BATCH = 8
FACTOR_PX = 4
"""CAREamics takes whole images whose sides its two poolings divide."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fields", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.folder.mkdir(parents=True, exist_ok=True)
    fields = dict(np.load(options.fields))
    clock = Clock()
    model = CAREamist(
        configuration(options.minutes, options.seed),
        work_dir=options.folder,
        callbacks=[clock],
        enable_progress_bar=False,
    )
    train(model, fields)
    restored = {name: restore(model, image) for name, image in of(fields, "test").items()}
    np.savez(options.folder / "restored.npz", **restored)
    facts = {
        "seconds": round(clock.seconds, 1),
        "steps": model.trainer.global_step,
        "epochs": model.trainer.current_epoch,
        "parameters": sum(weight.numel() for weight in model.model.parameters()),
        "versions": {name: version(name) for name in ("careamics", "torch", "lightning")},
    }
    (options.folder / "facts.json").write_text(json.dumps(facts, indent=2))


class Clock(Callback):
    """How long the training takes, validation and checkpoints included."""

    def __init__(self) -> None:
        self.began, self.seconds = 0.0, 0.0

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        self.began = time.perf_counter()

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        self.seconds = time.perf_counter() - self.began


def configuration(minutes: float, seed: int) -> Any:
    """Return CAREamics' default configuration, ended by the clock alone."""
    return create_advanced_care_config(
        experiment_name="quality",
        data_type="array",
        axes="YX",
        patch_size=[PATCH_PX, PATCH_PX],
        batch_size=BATCH,
        num_epochs=-1,
        trainer_params={"max_time": {"seconds": 60 * minutes}, "accelerator": "cpu"},
        early_stopping_params={},
        seed=seed + 1,  # it takes no 0
    )


def of(fields: dict[str, np.ndarray], split: str) -> dict[str, np.ndarray]:
    """Return the fields of one split by their names alone."""
    return {k.removeprefix(f"{split}_"): v for k, v in fields.items() if k.startswith(f"{split}_")}


def train(model: CAREamist, fields: dict[str, np.ndarray]) -> None:
    training, validation = (list(of(fields, split).values()) for split in ("train", "validation"))
    model.train(
        train_data=[pair[0] for pair in training],
        train_data_target=[pair[1] for pair in training],
        val_data=[pair[0] for pair in validation],
        val_data_target=[pair[1] for pair in validation],
    )


def restore(model: CAREamist, image: np.ndarray) -> np.ndarray:
    """Restore an image of any size, continued by its mirror image to one that CAREamics takes."""
    height, width = image.shape
    padded = np.pad(image, [(0, -n % FACTOR_PX) for n in image.shape], mode="reflect")
    restored, _ = model.predict([padded])
    return np.asarray(restored[0], dtype=np.float32).reshape(padded.shape)[:height, :width]


if __name__ == "__main__":
    main()
