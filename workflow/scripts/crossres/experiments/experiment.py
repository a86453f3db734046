"""An experiment: its settings, its fields and how they are worked through."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from crossres.experiments.configuration import load_experiment_settings
from crossres.experiments.scans import (
    fields_of_scenes,
    scenes_of_tiles,
    simulated_scenes,
    simulated_tiles,
)
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
        Size of a batch; where fields are cut from stage scans, of whole scenes.
    tiles
        Every tile of every stage scan, none where there are no scans.
    """

    name: str
    settings: Mapping[str, Any]
    fields: tuple[Field, ...]
    fields_per_job: int
    tiles: tuple[Field, ...] = ()

    @property
    def channels(self) -> list[str]:
        """Names of the channels, in the order of the sheet."""
        return list(dict.fromkeys(field.channel for field in self.fields))

    @property
    def simulated(self) -> bool:
        """True where the raw images are simulated."""
        return "sheet" not in self.settings["source"]

    @property
    def stitched(self) -> bool:
        """True where fields are cut from stage scans."""
        return "stitch" in self.settings["source"]

    @property
    def restores(self) -> bool:
        """False where pairs are only registered and judged, and nothing is restored."""
        return bool(self.networks or self.baselines)

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
        return [
            f"{split}_{number:03d}"
            for split in splits
            for number in range(len(self._batched(channel, split)))
        ]

    def in_batch(self, channel: str, batch: str) -> list[Field]:
        """Return the fields of one batch."""
        split, number = batch.rsplit("_", 1)
        return self._batched(channel, split)[int(number)]

    def tiles_in_batch(self, channel: str, batch: str, role: str) -> list[Field]:
        """Return the tiles that one objective took of the scenes of a batch."""
        scenes = dict.fromkeys(field.scene for field in self.in_batch(channel, batch))
        return [
            tile
            for scene in scenes
            for tile in self._tiles_by_scene.get((scene, channel), [])
            if getattr(tile, f"{role}_path") is not None
        ]

    @cached_property
    def _tiles_by_scene(self) -> dict[tuple[str | None, str], list[Field]]:
        found: dict[tuple[str | None, str], list[Field]] = {}
        for tile in self.tiles:
            found.setdefault((tile.scene, tile.channel), []).append(tile)
        return found

    def _batched(self, channel: str, split: str) -> list[list[Field]]:
        """Return the fields of a split, batch by batch."""
        fields = self.in_split(channel, split)
        size = self.fields_per_job
        if self.stitched:
            # whole scenes: the fields of one are cut from one mosaic
            grid = self.settings["source"]["stitch"]["fields"]
            in_scene = grid["rows"] * grid["columns"]
            size = max(1, size // in_scene) * in_scene
        return [fields[first : first + size] for first in range(0, len(fields), size)]

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
        fields, tiles = _fields_of(settings["source"])
        experiment = Experiment(
            name, settings, tuple(fields), config["fields_per_job"], tuple(tiles)
        )
        _check_splits(experiment)
        _check_channels(experiment)
        experiments[name] = experiment
    return experiments


def _fields_of(source: Mapping[str, Any]) -> tuple[list[Field], list[Field]]:
    """Return the fields of a source, and the tiles that they are cut from."""
    if "simulator" in source:
        return _simulated(source["simulator"]), []
    if "scan_simulator" in source:
        scenes = simulated_scenes(source["scan_simulator"])
        tiles = simulated_tiles(source["scan_simulator"], scenes)
    else:
        rows = read_sheet(source)
        if "stitch" not in source:
            return rows, []
        tiles, scenes = rows, scenes_of_tiles(rows)
    return fields_of_scenes(scenes, source["stitch"]["fields"]), tiles


def _check_channels(experiment: Experiment) -> None:
    """Check what names channels against the channels there are."""
    known = ", ".join(experiment.channels)
    for role, modality in experiment.settings["modalities"].items():
        wavelength = modality["wavelength_nm"]
        if isinstance(wavelength, Mapping) and set(wavelength) != set(experiment.channels):
            raise InputError(
                f"{experiment.name}: modalities.{role}.wavelength_nm names the channels "
                f"{', '.join(wavelength)}; the experiment has {known}: give one for each"
            )
    by = experiment.settings["source"].get("stitch", {}).get("channel")
    if by is not None and by not in experiment.channels:
        raise InputError(
            f"{experiment.name}: source.stitch.channel is {by!r}; the experiment has {known}"
        )
    taken = {
        (tile.scene, tile.channel, role)
        for tile in experiment.tiles
        for role in ("input", "target")
        if getattr(tile, f"{role}_path") is not None
    }
    for field in experiment.fields if experiment.stitched else ():
        for role in ("input", "target") if field.split != "apply" else ("input",):
            if (field.scene, field.channel, role) not in taken:
                raise InputError(
                    f"{experiment.name}: scene {field.scene!r} of channel {field.channel!r} has no "
                    f"{role} tiles; add them to the sheet"
                )


def _simulated(simulator: Mapping[str, Any]) -> list[Field]:
    fields = []
    for split in MEASURED_SPLITS:
        for number in range(simulator["fields"][split]):
            fields.append(Field(f"{split}_{number:04d}", simulator["channel"], split))
    return fields


def _check_splits(experiment: Experiment) -> None:
    needed = MEASURED_SPLITS if experiment.restores else ("train",)
    for channel in experiment.channels:
        for split in needed:
            if not experiment.in_split(channel, split):
                raise InputError(
                    f"{experiment.name}: the {split} split of channel {channel!r} is empty; "
                    "assign it a field in the sheet, or add fields so that each split gets a group"
                )
