"""An experiment: its settings, its fields and how they are worked through."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from crossres.experiments.sheets import Field


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
    asked
        False where it is only needed by another experiment that begins from its models.
    """

    name: str
    settings: Mapping[str, Any]
    fields: tuple[Field, ...]
    fields_per_job: int
    tiles: tuple[Field, ...] = ()
    asked: bool = True

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
        set apart as <network>.seed_<n>. The mean over all seeds, where it is asked for, is a method
        of its own, <network>_ensemble. Methods without chance have no seed.
        """
        found: list[tuple[str, str, int | None]] = [(name, name, None) for name in self.baselines]
        for name, network in self.settings["networks"].items():
            for order, seed in enumerate(network["seeds"]):
                found.append((name if order == 0 else f"{name}.seed_{seed}", name, seed))
            if self.settings["restoration"]["seed_ensemble"] and len(network["seeds"]) > 1:
                found.append((f"{name}_ensemble", f"{name}_ensemble", None))
        return found
