"""The measured pairs of nuclear pores and of a membrane, as the workflow prepares them.

docs/real-data.md says where the images come from.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

from crossres.experiments import Layout
from crossres.experiments.sheets import read_sheet
from crossres.images import Image, field_name, fields_in, read_field_table, read_image
from crossres.patches import PatchSet, load_patches
from crossres.settings import ExperimentSettings, load_experiment_settings

ROOT = Path(__file__).resolve().parents[1]
EXPERIMENT = "confocal_sted_real"


@dataclass(frozen=True)
class Fields:
    """One channel: registered pairs (2, Y, X) to learn from, inputs (Y, X) to restore, truth.

    ``blind`` inputs are as they were acquired; ``truth`` are their registered pairs, cropped, and
    ``corner_px`` says from where. Only the measuring sees ``truth``.
    """

    train: dict[str, np.ndarray]
    validation: dict[str, np.ndarray]
    blind: dict[str, np.ndarray]
    truth: dict[str, np.ndarray]
    corner_px: dict[str, tuple[int, ...]]
    pixel_size_nm: float
    patches: PatchSet
    validation_patches: PatchSet

    def crop(self, name: str, image: np.ndarray) -> np.ndarray:
        """Return the part of a blind field that its registered pair covers."""
        height, width = self.truth[name].shape[1:]
        top, left = self.corner_px[name]
        return image[top : top + height, left : left + width]


def prepare(
    folder: Path, data_root: Path | None, channels: Sequence[str], threads: int
) -> ExperimentSettings:
    """Run the workflow up to the patches in a folder of its own, and return the settings.

    Raises
    ------
    InputError
        The images are not where they should be.
    RuntimeError
        The workflow failed; the message names its log.
    """
    given = yaml.safe_load((ROOT / "config" / "experiments" / f"{EXPERIMENT}.yaml").read_text())
    source = given["source"]
    source["sheet"] = str(ROOT / source["sheet"])
    source["data_root"] = str((data_root or ROOT / source["data_root"]).resolve())
    given["networks"] = {"cnn": {"iterations": 1}}
    given.pop("demo", None)
    (folder / "config").mkdir(parents=True, exist_ok=True)
    (folder / "config" / "config.yaml").write_bytes((ROOT / "config" / "config.yaml").read_bytes())
    experiment = folder / "config" / f"{EXPERIMENT}.yaml"
    experiment.write_text(yaml.safe_dump(given))
    settings = load_experiment_settings(str(experiment), "paper", folder)
    read_sheet(settings.source)
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]
    command += ["--directory", folder, "--cores", str(threads)]
    command += ["--config", f"experiments=[{experiment}]", "scale=paper", "device=cpu", "--"]
    command += [
        place(pattern, channel, table="registration", split="train")
        for channel in channels
        # the table needs the fields of every split registered
        for pattern in (Layout.table, Layout.patches)
    ]
    log = folder / "prepare.log"
    with log.open("w") as file:
        done = subprocess.run(list(map(str, command)), stdout=file, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise RuntimeError(f"the workflow ended with {done.returncode}; see {log}")
    return settings


def place(pattern: str, channel: str, **wildcards: str) -> str:
    """Return a path of one channel's results, relative to the folder of the run."""
    return Layout.fill(pattern, experiment=EXPERIMENT, channel=channel, **wildcards)


def load_fields(folder: Path, channel: str) -> Fields:
    """Read what was prepared in a folder, but for pairs that the registration did not accept."""

    def of(stage: str, split: str) -> Iterator[tuple[str, Image]]:
        batches = place(Layout.stages[stage], channel, batch=f"{split}_*")
        for path in fields_in(sorted(folder.glob(batches))):
            yield field_name(path), read_image(path)

    def patches(split: str) -> PatchSet:
        return load_patches(folder / place(Layout.patches, channel, split=split))

    table = read_field_table(folder / place(Layout.table, channel, table="registration"))
    accepted = set(table.field[table.accepted])
    train, validation, tests = (
        {name: image for name, image in of("registered", split) if name in accepted}
        for split in ("train", "validation", "test")
    )
    return Fields(
        train={name: image.array for name, image in train.items()},
        validation={name: image.array for name, image in validation.items()},
        blind={name: np.float32(i.array) for name, i in of("resampled", "test") if name in tests},
        truth={name: image.array for name, image in tests.items()},
        corner_px={name: image.corner_px for name, image in tests.items()},
        pixel_size_nm=next(iter(tests.values())).known_pixel_size_nm,
        patches=patches("train"),
        validation_patches=patches("validation"),
    )
