"""Where the raw images come from: a simulator, or the files that a sheet names."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from crossres.samples import AnySample
from crossres.samples.cells import Cells
from crossres.section import ChannelName, Count, Part, Positive, Section
from crossres.settings.acquisition import AnyAcquisition, Overlap, Splits, StageAcquisition

ONE_OF_EACH = Splits(train=1, validation=1, test=1)


class Simulator(Section):
    """A sample, and how both microscopes image it."""

    sample: AnySample
    """What is imaged, by its `kind`."""
    acquisition: AnyAcquisition
    """How it is imaged, by its `kind`."""
    channel: ChannelName = "beads"
    """Name of the channel; samples with stains have a channel for each instead."""
    seed: Count = 0
    """Seed of all chance in the simulation."""

    @property
    def channels(self) -> list[str]:
        """Names of the channels: the sample's stains, or the one that is named."""
        return list(self.sample.stains) if isinstance(self.sample, Cells) else [self.channel]

    def in_channel(self, channel: str) -> "Simulator":
        """Drop settings that do not affect this channel, so that changing them reruns nothing.

        The numbers of fields go, and the other channels' stains and focus. Their filter shifts
        stay, because the sample must be large enough for all channels.
        """
        sample, acquisition = self.sample, self.acquisition
        if isinstance(sample, Cells):
            sample = sample.model_copy(update={"stains": {channel: sample.stains[channel]}})
        if isinstance(acquisition, StageAcquisition):
            channels = {
                name: optics if name == channel else optics.model_copy(update={"defocus_um": 0.0})
                for name, optics in acquisition.channels.items()
            }
            changes = {"scenes": ONE_OF_EACH, "channels": channels}
        else:
            changes = {"fields": ONE_OF_EACH}
        acquisition = acquisition.model_copy(update=changes)
        return self.model_copy(update={"sample": sample, "acquisition": acquisition})


class Overlaps(Section):
    """Nominal overlap of neighbouring tiles, as part of a tile."""

    input: Overlap | None = None
    """Overlap of the input's tiles; null if unknown."""
    target: Overlap | None = None
    """Overlap of the target's tiles; null if unknown."""


class FieldGrid(Section):
    """The grid of fields that a stitched input is cut into, around its centre."""

    rows: Positive
    """Rows of fields."""
    columns: Positive
    """Columns of fields."""
    size_px: Annotated[int, Field(ge=64)]
    """Side of a field, in pixels of the target."""


class Stitch(Section):
    """How the tiles of a stage scan become fields."""

    overlap: Overlaps = Overlaps()
    """Nominal overlap of neighbouring tiles, as part of a tile; null where unknown."""
    channel: str | None = None
    """The channel whose tiles place those of all channels, such as one without blank tiles; null
    places each channel by its own tiles."""
    fields: FieldGrid
    """The grid of fields."""


class SplitFractions(Section):
    """Parts of the groups that are assigned to each split."""

    train: Part = 0.7
    """Part of the groups."""
    validation: Part = 0.15
    """Part of the groups."""
    test: Part = 0.15
    """Part of the groups."""


class Columns(Section):
    """Columns of a grid that go to each split."""

    train: Positive
    """Columns."""
    validation: Positive
    """Columns."""
    test: Positive
    """Columns."""


class Cut(Section):
    """A grid that every image of the sheet is cut into."""

    rows: Positive
    """Rows of the grid."""
    columns: Columns
    """Columns of the grid that go to each split, from left to right."""
    guard_px: Count
    """Width of the guard band, in pixels."""


class Source(Section):
    """Where the raw images come from: one of `simulator`, and `sheet` with `data_root`."""

    simulator: Simulator | None = None
    """A simulated sample and acquisition."""
    sheet: str | None = None
    """Table of the images, tab-separated, a row per field and channel; see below. It is looked for
    beside the file that names it, then in the folder where Snakemake runs; `~` is your home
    folder."""
    data_root: str | None = None
    """Folder that the sheet's paths are relative to, looked for like the sheet: `.` is the folder
    of the file that names it. null is the folder of the sheet."""
    split_fractions: SplitFractions = SplitFractions()
    """How fields without a split in the sheet are assigned, whole groups at a time."""
    cut: Cut | None = None
    """Cuts every image of the sheet into a grid of fields, for data sets with too few images to
    split. The splits are vertical strips with an unused guard band between them. Input and target
    must have the same pixel size."""
    stitch: Stitch | None = None
    """How the tiles of a stage scan become fields: they are stitched, the input is cut into a grid
    of fields around its centre, and the target is matched to it."""

    @property
    def images_folder(self) -> Path:
        """The folder that the paths of the sheet are relative to."""
        return Path(self.sheet or "").parent if self.data_root is None else Path(self.data_root)
