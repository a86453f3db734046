"""How a simulated sample is imaged by both microscopes, one after the other."""

from typing import Annotated, Literal

from pydantic import Field

from crossres.section import ChannelName, NotNegative, Pair, Positive, Section

Side = Annotated[int, Field(ge=32)]
Less = Annotated[float, Field(ge=0, lt=1)]
Overlap = Annotated[float, Field(gt=0, lt=1)]


class Splits(Section):
    """Numbers of fields or scenes in each split."""

    train: Positive
    """For training."""
    validation: Positive
    """For choosing iterations and parameters."""
    test: Positive
    """For the blind test."""


class FieldByField(Section):
    """Settings shared by acquisitions that image field by field."""

    fields: Splits
    """Number of fields of each split."""
    field_px: Side = 1024
    """Side of a field, in pixels of the target."""
    drift_nm: NotNegative = 10.0
    """Root mean square drift between one scan of a field and the next, in nm."""


class PairAcquisition(FieldByField):
    """Each field once by either microscope."""

    kind: Literal["pair"]
    """Each field once by either microscope."""


class RepeatsAcquisition(FieldByField):
    """Each field once by the input's microscope, then several times by the target's."""

    kind: Literal["repeats"]
    """Each field once by the input's microscope, then several times by the target's. The first of
    these scans is the target, the others serve measuring alone."""
    scans: Positive = 3
    """Scans of the target."""
    fluctuation: NotNegative = 0.4
    """Standard deviation of the logarithm of an emitter's brightness from scan to scan."""
    decay: Less = 0.08
    """Part of the light that one scan bleaches."""


class VolumeAcquisition(FieldByField):
    """Each field as a stack of slices by either microscope."""

    kind: Literal["volume"]
    """Each field as a stack of slices by either microscope; needs `dims: 3`."""
    slices: Positive
    """Slices of the target's stack."""


class Scan(Section):
    """A stage scan by one objective."""

    rows: Positive
    """Rows of tiles."""
    columns: Positive
    """Columns of tiles."""
    tile_px: Annotated[int, Field(ge=64)]
    """Side of a tile, in pixels."""
    overlap: Overlap
    """Overlap of neighbours, as part of a tile."""
    distortion_px: NotNegative = 0.6
    """Distortion of the objective at the tile's corner, in pixels."""
    stage_error_px: NotNegative = 3.0
    """Standard deviation of the stage's error along an axis, in pixels."""
    offset_nm: NotNegative = 0.0
    """Greatest distance of the scan's centre from the input's along an axis, in nm; target."""


class Scans(Section):
    """The stage scans of both objectives; the target's lies within the input's."""

    input: Scan
    """The input's scan."""
    target: Scan
    """The target's scan."""


class FilterShift(Section):
    """(y, x) by which a channel's filter shifts the image, in pixels of each camera."""

    input: Pair = (0.0, 0.0)
    """Shift in the input."""
    target: Pair = (0.0, 0.0)
    """Shift in the target."""


class ChannelOptics(Section):
    """Settings of one channel in a stage scan."""

    defocus_um: float = 0.0
    """Distance from the plane that the autofocus found in another channel, in µm."""
    filter_shift_px: FilterShift = FilterShift()
    """(y, x) by which the channel's filter shifts the image, in pixels of each camera."""


class StageAcquisition(Section):
    """Stage scans by two wide-field objectives, tile by tile, each with a distortion of its own."""

    kind: Literal["stage"]
    """Stage scans by two wide-field objectives, tile by tile, each with a distortion of its own;
    needs `source.stitch`."""
    scenes: Splits
    """Number of scanned scenes of each split."""
    scan: Scans
    """The stage scans of both objectives; the target's lies within the input's."""
    rotation_degree: float = 0.2
    """Rotation of the target's camera against the input's, in degrees."""
    scale_error: float = 0.002
    """Relative difference of the target's true pixel size from the nominal one."""
    channels: dict[ChannelName, ChannelOptics] = {}
    """Settings of single channels, by name."""

    def optics_of(self, channel: str) -> ChannelOptics:
        """Return the settings of one channel."""
        return self.channels.get(channel, ChannelOptics())


AnyAcquisition = Annotated[
    PairAcquisition | RepeatsAcquisition | VolumeAcquisition | StageAcquisition,
    Field(discriminator="kind"),
]
