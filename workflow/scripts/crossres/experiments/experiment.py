"""An experiment: its settings, its fields and how they are worked through."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossres.experiments.configuration import load_experiment_settings
from crossres.experiments.sheets import Field, read_sheet
from crossres.jobs import InputError

MEASURED_SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Experiment:
    """One modality pair, ready to be turned into jobs.

    Parameters
    ----------
    name
        Name of its file, and of its folder under results.
    settings
        As the schema describes them, at the chosen scale.
    fields
        Every field of every channel.
    fields_per_job
        Size of a batch.
    """

    name: str
    settings: Mapping[str, Any]
    fields: tuple[Field, ...]
    fields_per_job: int

    @property
    def channels(self) -> list[str]:
        """Names of the channels, in the order of the sheet."""
        return list(dict.fromkeys(field.channel for field in self.fields))

    @property
    def simulated(self) -> bool:
        """True where the raw images are simulated."""
        return "simulator" in self.settings["source"]

    @property
    def networks(self) -> list[str]:
        """Names of the networks that are trained."""
        return list(self.settings["networks"])

    @property
    def baselines(self) -> list[str]:
        """Names of the classical methods."""
        known = ("richardson_lucy", "nnls")
        return [name for name in known if name in self.settings["deconvolution"]]

    def in_split(self, channel: str, *splits: str) -> list[Field]:
        """Return the fields of a channel that lie in any of the splits."""
        return [f for f in self.fields if f.channel == channel and f.split in splits]

    def batches(self, channel: str, *splits: str) -> list[str]:
        """Return the names of a channel's batches, such as train_000, split by split."""
        names = []
        for split in splits:
            count = -(-len(self.in_split(channel, split)) // self.fields_per_job)
            names += [f"{split}_{number:03d}" for number in range(count)]
        return names

    def in_batch(self, channel: str, batch: str) -> list[Field]:
        """Return the fields of one batch."""
        split, number = batch.rsplit("_", 1)
        first = int(number) * self.fields_per_job
        return self.in_split(channel, split)[first : first + self.fields_per_job]

    def restorations(self) -> list[tuple[str, str, int | None]]:
        """Return (folder, method, seed) of every restoration: folder is where its images lie.

        The first seed of a network stands for the network and bears its name; further seeds are
        set apart as <network>.seed_<n>. Methods without chance have no seed.
        """
        found: list[tuple[str, str, int | None]] = [(name, name, None) for name in self.baselines]
        for name, network in self.settings["networks"].items():
            for order, seed in enumerate(network["seeds"]):
                found.append((name if order == 0 else f"{name}.seed_{seed}", name, seed))
        return found


def load_experiments(config: Mapping[str, Any], folder: Path) -> dict[str, Experiment]:
    """Return the experiments of a checked configuration, by name.

    Raises
    ------
    InputError
        Any fault of their files or sheets, or two experiments of one name.
    """
    experiments: dict[str, Experiment] = {}
    for entry in config["experiments"]:
        name = Path(entry).stem
        if name in experiments:
            raise InputError(f"experiments: two experiments are called {name!r}; rename a file")
        settings = load_experiment_settings(entry, config["scale"], folder)
        source = settings["source"]
        fields = _simulated(source["simulator"]) if "simulator" in source else read_sheet(source)
        experiment = Experiment(name, settings, tuple(fields), config["fields_per_job"])
        _check_splits(experiment)
        experiments[name] = experiment
    return experiments


def _simulated(simulator: Mapping[str, Any]) -> list[Field]:
    fields = []
    for split in MEASURED_SPLITS:
        for number in range(simulator["fields"][split]):
            fields.append(Field(f"{split}_{number:04d}", simulator["channel"], split))
    return fields


def _check_splits(experiment: Experiment) -> None:
    for channel in experiment.channels:
        for split in MEASURED_SPLITS:
            if not experiment.in_split(channel, split):
                raise InputError(
                    f"{experiment.name}: the {split} split of channel {channel!r} is empty; "
                    "assign it a field in the sheet, or add fields so that each split gets a group"
                )
