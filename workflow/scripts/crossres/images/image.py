"""Images: an array with axes, a grid and channel names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import numpy as np

Plane = tuple[int, int, int]
"""Number of the time, the channel and the slice, from 0."""


@dataclass(frozen=True)
class Grid:
    """Where the pixels of an image lie.

    Pixel ``i`` of an axis covers ``[i, i + 1)`` steps from the image's edge, and is centred at
    ``i + 0.5`` steps; slices likewise.

    Parameters
    ----------
    pixel_size_nm
        Step along y and x; None where it is not known.
    z_step_nm
        Step along z; None where there are no slices, or it is not known.
    corner_px
        (y, x) of the first pixel in the field that the image was cropped from.
    """

    pixel_size_nm: float | None = None
    z_step_nm: float | None = None
    corner_px: tuple[int, int] = (0, 0)

    def steps_nm(self, dims: int) -> tuple[float, ...]:
        """Return the steps along (y, x), or along (z, y, x) for ``dims`` 3, in nm.

        Raises
        ------
        ValueError
            One of them is not known.
        """
        steps = (self.z_step_nm, self.pixel_size_nm, self.pixel_size_nm)[-dims:]
        known = tuple(step for step in steps if step is not None)
        if len(known) < dims:
            raise ValueError("this image has lost its pixel size or its z step")
        return known


@dataclass(frozen=True)
class Metadata:
    """Everything but the pixels of an image.

    Parameters
    ----------
    axes
        One letter a dimension, of T, C, Z, Y, X, in this order: "YX", "CYX", "ZYX" ...
    pixel_size_nm
        Side of the square pixel at the sample; None where neither file nor sheet gave one.
        Pixel ``i`` is centred at ``(i + 0.5) * pixel_size_nm`` from the image's edge.
    z_step_nm
        Distance of two slices; None where there are none.
    channels
        Names along the C axis, or that of the one channel of an image without that axis; empty
        where the file names none.
    corner_px
        (y, x) of this image's first pixel in the field that it was cropped from.
    frame_interval_s
        Time between two frames of a time-lapse; None where there is none, or it is not known.
    channel_details
        Further OME attributes of each channel, such as its wavelengths.
    planes
        OME attributes of single planes: times, exposures, stage positions.
    """

    axes: str
    pixel_size_nm: float | None = None
    z_step_nm: float | None = None
    channels: tuple[str, ...] = ()
    corner_px: tuple[int, int] = (0, 0)
    frame_interval_s: float | None = None
    channel_details: tuple[Mapping[str, str], ...] = ()
    planes: Mapping[Plane, Mapping[str, str]] = field(default_factory=dict)

    @property
    def grid(self) -> Grid:
        """Where the pixels lie."""
        return Grid(self.pixel_size_nm, self.z_step_nm, self.corner_px)

    @property
    def known_pixel_size_nm(self) -> float:
        """The pixel size of an imported image, which always has one."""
        return self.grid.steps_nm(2)[0]

    def without_place(self) -> Self:
        """Return the metadata without corner and stage positions."""
        rest = {
            number: {key: text for key, text in plane.items() if not key.startswith("Position")}
            for number, plane in self.planes.items()
        }
        planes = {number: plane for number, plane in rest.items() if plane}
        return replace(self, corner_px=(0, 0), planes=planes)

    def of_channels(self, numbers: Sequence[int]) -> Self:
        """Return the metadata of some channels, by their numbers from 0."""
        return replace(
            self,
            channels=tuple(self.channels[n] for n in numbers) if self.channels else (),
            channel_details=(
                tuple(self.channel_details[n] for n in numbers) if self.channel_details else ()
            ),
            planes={
                (t, numbers.index(c), z): plane
                for (t, c, z), plane in self.planes.items()
                if c in numbers
            },
        )


@dataclass(frozen=True)
class _Pixels:
    array: np.ndarray


# the fields of the last base come first: Image(array, axes, ...)
@dataclass(frozen=True)
class Image(Metadata, _Pixels):
    """An array with its metadata.

    Parameters
    ----------
    array
        Pixels, in the order of ``axes``.
    axes, pixel_size_nm, z_step_nm, channels, corner_px, frame_interval_s, channel_details, planes
        As of :class:`Metadata`.
    """

    def __post_init__(self) -> None:
        if self.array.ndim != len(self.axes):
            raise ValueError(f"axes {self.axes!r} do not fit an array of shape {self.array.shape}")

    @property
    def metadata(self) -> Metadata:
        """All but the pixels."""
        known: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(Metadata)}
        return Metadata(**known)

    @property
    def sizes(self) -> dict[str, int]:
        """Length of each axis, by its letter."""
        return dict(zip(self.axes, self.array.shape, strict=True))

    def like(self, array: np.ndarray, **changes: Any) -> "Image":
        """Return an image of other pixels with this metadata.

        Attributes of planes and channels are dropped if their number changes, unless given.

        Parameters
        ----------
        array
            The pixels.
        **changes
            Metadata that differs: ``axes``, ``pixel_size_nm`` ...
        """
        axes = changes.get("axes", self.axes)
        sizes = dict(zip(axes, array.shape, strict=False))
        changed = {axis for axis in "TCZ" if sizes.get(axis, 1) != self.sizes.get(axis, 1)}
        lost: dict[str, Any] = {"planes": {}} if changed else {}
        if "C" in changed:
            lost |= {"channels": (), "channel_details": ()}
        return replace(self, **{**lost, **changes, "array": array})

    def of_channels(self, numbers: Sequence[int]) -> Self:
        """Return the image of some channels alone, by their numbers from 0."""
        array = np.take(self.array, numbers, axis=self.axes.index("C"))
        return replace(super().of_channels(numbers), array=array)

    def channel(self, name: str) -> np.ndarray:
        """Return the array of one channel, without the C axis."""
        axis = self.axes.index("C")
        channel: np.ndarray = np.take(self.array, self.channels.index(name), axis=axis)
        return channel
