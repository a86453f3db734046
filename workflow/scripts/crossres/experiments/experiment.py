"""An experiment: its settings, its fields and how they are worked through."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from crossres.catalogue.classical import Classical
from crossres.catalogue.methods import BLEND, ENSEMBLE, INPUT, TARGET, TRUTH
from crossres.catalogue.networks import Network
from crossres.experiments.fields import MEASURED, Field, Tile
from crossres.settings import (
    ExperimentSettings,
    RepeatsAcquisition,
    Simulator,
    StageAcquisition,
)


@dataclass(frozen=True)
class Restoration:
    """One way in which the fields of the blind test are restored.

    Parameters
    ----------
    name
        Of its folder. The first seed of a network bears the network's name; further ones are
        called <network>.seed_<n>, their mean <network>_ensemble; <network>_blend is the mean of the
        first seeds of the network and of ``cnn``.
    method
        As tables and figures know it.
    seed
        None without chance, or with several seeds.
    network
        Network that restores; None for a classical method.
    seeds
        Seeds of the models.
    blended
        Another network, and the seed of its model, that this one is averaged with.
    share
        Of this network in that mean.
    """

    name: str
    method: str
    seed: int | None = None
    network: str | None = None
    seeds: tuple[int, ...] = ()
    blended: tuple[str, int] | None = None
    share: float | None = None

    @property
    def networks(self) -> list[str]:
        """The networks that restore; none of a classical method."""
        return [name for name in (self.network, self.blended and self.blended[0]) if name]

    @property
    def models(self) -> list[tuple[str, int]]:
        """Network and seed of every model."""
        own = [(self.network, seed) for seed in self.seeds if self.network]
        return [*own, self.blended] if self.blended else own


UNRESTORED = tuple(Restoration(name, name) for name in (INPUT, TARGET))
"""What is measured beside the restorations, with the same ruler."""

NOISELESS = Restoration(TRUTH, TRUTH)
"""The simulator's noiseless image: its score is the ceiling that the target's noise sets."""


@dataclass(frozen=True)
class Experiment:
    """One modality pair, ready to be turned into jobs.

    Parameters
    ----------
    name
        Name of its file, and of its folder under results.
    settings
        At the chosen scale.
    fields
        Every field of every channel.
    fields_per_job
        Size of a batch; with stage scans, rounded down to whole scenes.
    tiles
        Every tile of every stage scan; empty without stage scans.
    asked
        False for a prerequisite, loaded because another experiment begins from its models.
    """

    name: str
    settings: ExperimentSettings
    fields: tuple[Field, ...]
    fields_per_job: int
    tiles: tuple[Tile, ...] = ()
    asked: bool = True

    @cached_property
    def channels(self) -> list[str]:
        """Names of the channels."""
        return list(dict.fromkeys(field.channel for field in self.fields))

    @property
    def simulator(self) -> Simulator | None:
        """The simulator of the raw images; None for measured ones."""
        return self.settings.source.simulator

    @property
    def simulated(self) -> bool:
        """True where the raw images are simulated."""
        return self.simulator is not None

    @property
    def repeated(self) -> bool:
        """True where the target's microscope looked at every field several times."""
        acquisition = self.simulator.acquisition if self.simulator else None
        return isinstance(acquisition, RepeatsAcquisition) and acquisition.scans > 1

    @property
    def scanned(self) -> bool:
        """True where the simulator gives stage scans."""
        return self.simulator is not None and isinstance(
            self.simulator.acquisition, StageAcquisition
        )

    @property
    def stitched(self) -> bool:
        """True where fields are cut from stage scans."""
        return self.settings.source.stitch is not None

    @property
    def placing_channel(self) -> str | None:
        """The channel that the tiles of all channels are placed by; None places each by its own."""
        stitch = self.settings.source.stitch
        return stitch.channel if stitch else None

    @property
    def dims(self) -> int:
        """2 for images, 3 for volumes."""
        return self.settings.dims

    @property
    def restores(self) -> bool:
        """False where pairs are only registered."""
        return bool(self.networks or self.baselines)

    @cached_property
    def networks(self) -> dict[str, Network]:
        """The networks that are trained, by name."""
        return self.settings.networks.trained

    @cached_property
    def baselines(self) -> dict[str, Classical]:
        """The classical methods, by name."""
        return self.settings.deconvolution.methods

    def stages(self, role: str) -> list[str]:
        """Return the stages that an image of one modality goes through, in order.

        Each takes the output of the one before. Only this method knows which stages an experiment
        has; :meth:`before` answers for one stage.
        """
        stages = ["imported"]
        if self.settings.preprocess.background.method != "none":
            stages.append("subtracted")
        if self.stitched:
            stages += ["stitched", "cut"] if role == INPUT else ["stitched"]
        return [*stages, "resampled", "registered"] if role == INPUT else [*stages, "registered"]

    def before(self, stage: str, role: str) -> str:
        """Return the stage whose images a stage takes; the first one takes raw images."""
        return {after: before for before, after in pairwise(self.stages(role))}[stage]

    def in_split(self, channel: str, *splits: str) -> list[Field]:
        """Return the fields of a channel that lie in any of the splits."""
        return [f for f in self.fields if f.channel == channel and f.split in splits]

    def batches(self, channel: str, *splits: str) -> list[str]:
        """Return the names of a channel's batches, such as train_000, split by split."""
        return [name for split in splits for name in self._batches.get((channel, split), {})]

    def in_batch(self, channel: str, batch: str) -> list[Field]:
        """Return the fields of one batch."""
        split, _ = batch.rsplit("_", 1)
        return self._batches[channel, split][batch]

    def tiles_in_batch(self, channel: str, batch: str, role: str) -> list[Tile]:
        """Return the tiles that one objective took of the scenes of a batch."""
        scenes = dict.fromkeys(field.scene for field in self.in_batch(channel, batch))
        return [
            tile
            for scene in scenes
            for tile in self._tiles_by_scene.get((scene, channel), [])
            if getattr(tile, role) is not None
        ]

    @cached_property
    def _tiles_by_scene(self) -> dict[tuple[str | None, str], list[Tile]]:
        found: dict[tuple[str | None, str], list[Tile]] = {}
        for tile in self.tiles:
            found.setdefault((tile.scene, tile.channel), []).append(tile)
        return found

    @cached_property
    def _batches(self) -> dict[tuple[str, str], dict[str, list[Field]]]:
        """The batches of every channel and split, by name."""
        by_split: dict[tuple[str, str], list[Field]] = {}
        for field in self.fields:
            by_split.setdefault((field.channel, field.split), []).append(field)
        size = self.fields_per_job
        if self.settings.source.stitch is not None:
            # whole scenes: the fields of one are cut from one mosaic
            grid = self.settings.source.stitch.fields
            in_scene = grid.rows * grid.columns
            size = max(1, size // in_scene) * in_scene
        return {
            (channel, split): {
                f"{split}_{number:03d}": fields[first : first + size]
                for number, first in enumerate(range(0, len(fields), size))
            }
            for (channel, split), fields in by_split.items()
        }

    @cached_property
    def restorations(self) -> list[Restoration]:
        """Every restoration of the blind-test fields, classical methods first."""
        found = [Restoration(name, name) for name in self.baselines]
        for name, network in self.networks.items():
            for order, seed in enumerate(network.seeds):
                folder = name if order == 0 else f"{name}.seed_{seed}"
                found.append(Restoration(folder, name, seed, name, (seed,)))
            if self.settings.restoration.seed_ensemble and len(network.seeds) > 1:
                mean = f"{name}{ENSEMBLE}"
                found.append(Restoration(mean, mean, None, name, network.seeds))
            if (share := self.settings.restoration.blend) and network.adversarial:
                blend, faithful = f"{name}{BLEND}", ("cnn", self.networks["cnn"].seeds[0])
                seeds = network.seeds[:1]
                found.append(Restoration(blend, blend, None, name, seeds, faithful, share))
        return found

    @property
    def shown(self) -> list[Restoration]:
        """One restoration a method: what figures of images show."""
        return [one for one in self.restorations if one.name == one.method]

    @property
    def measured(self) -> list[Restoration]:
        """Everything that is measured on the blind-test fields."""
        noiseless = [NOISELESS] if self.simulated else []
        return [*UNRESTORED, *noiseless, *self.restorations]

    def numbered(self, channel: str, batch: str) -> list[tuple[str, int]]:
        """Return the simulated fields, or scenes, of a batch with their numbers, which seed them.

        Splits are numbered apart, so that more training fields leave the test fields as they are.
        """
        split, _ = batch.rsplit("_", 1)
        numbers = self._numbers[channel, split]
        return list(
            dict.fromkeys(
                (name, numbers[name])
                for name in (field.scene or field.name for field in self.in_batch(channel, batch))
            )
        )

    @cached_property
    def _numbers(self) -> dict[tuple[str, str], dict[str, int]]:
        """The number of every simulated field or scene, by channel and split."""
        numbers: dict[tuple[str, str], dict[str, int]] = {}
        for field in self.fields:
            of_split = numbers.setdefault((field.channel, field.split), {})
            first = MEASURED.index(field.split) * 10**6
            of_split.setdefault(field.scene or field.name, first + len(of_split))
        return numbers

    def restoration(self, name: str) -> Restoration:
        """Return the restoration of a name."""
        return next(r for r in self.restorations if r.name == name)
