"""How an image is cut into tiles: by what a network sees, and by the memory there is."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from crossres.images import Window
from crossres.jobs import InputError, logger
from crossres.restoration.footprint import Footprint

MAPS_OF_A_TILE = 6
"""Float32 maps of a tile's size beside the network's: read, normalised, moved, restored, scaled."""

WORTHWHILE = 2.0
"""A larger field of attention is kept where it costs no more than this times the work."""

CANDIDATES = 64
"""Tile sizes that are tried along an axis."""


@dataclass(frozen=True)
class Span:
    """A tile along one axis.

    Parameters
    ----------
    given
        What it gives to the image.
    seen
        What it is computed from: the same with its margins.
    weights
        What it counts for each pixel that it gives; None where it counts fully.
    """

    given: slice
    seen: slice
    weights: np.ndarray | None = None

    @property
    def within(self) -> slice:
        """Where what it gives lies in what it sees."""
        return slice(self.given.start - self.seen.start, self.given.stop - self.seen.start)


@dataclass(frozen=True)
class Tile:
    """A tile of an image, a span per axis."""

    spans: tuple[Span, ...]

    @property
    def given(self) -> Window:
        """What it gives to the image."""
        return tuple(span.given for span in self.spans)

    @property
    def seen(self) -> Window:
        """What it is computed from."""
        return tuple(span.seen for span in self.spans)

    @property
    def within(self) -> Window:
        """Where what it gives lies in what it sees."""
        return tuple(span.within for span in self.spans)

    @property
    def weights(self) -> np.ndarray | None:
        """What it counts for each pixel that it gives; None where it counts fully."""
        found: np.ndarray | None = None
        for axis, span in enumerate(self.spans):
            if span.weights is not None:
                below = (1,) * (len(self.spans) - 1 - axis)
                along = span.weights.reshape(-1, *below)
                found = along if found is None else found * along
        return found


@dataclass(frozen=True)
class Tiling:
    """How images are cut for one network.

    Parameters
    ----------
    footprint
        Of the network.
    margin_px
        What a tile is given of its surroundings, per axis, multiples of the stride.
    blend_px
        Half the width over which neighbours pass into each other, per axis.
    """

    footprint: Footprint
    margin_px: tuple[int, ...]
    blend_px: tuple[int, ...]

    def spans(self, axis: int, length: int, side_px: int) -> list[Span]:
        """Return the tiles along one axis, the weights of which sum to 1 at every pixel.

        A tile's weight is what it has gained at its beginning less what the next one has gained
        at its own: the sum over all tiles is 1 whatever the widths.
        """
        stride, margin = self.footprint.stride_px[axis], self.margin_px[axis]
        blend = self.blend_px[axis]
        least = self._least_seen(axis)
        starts = range(0, length, side_px)
        spans = []
        for start in starts:
            stop = min(start + side_px, length)
            first = max(0, start - margin)
            last = min(length, max(stop + margin, first + least))
            first = max(0, min(first, last - least) // stride * stride)
            given = slice(max(0, start - blend), min(length, stop + blend))
            weights = None
            if blend and len(starts) > 1:
                at = np.arange(given.start, given.stop) + 0.5
                gained = np.clip((at - start + blend) / (2 * blend), 0, 1) if start else 1.0
                lost = np.clip((at - stop + blend) / (2 * blend), 0, 1) if stop < length else 0.0
                weights = np.asarray(gained - lost, dtype=np.float32)
            spans.append(Span(given, slice(first, last), weights))
        return spans

    def _least_seen(self, axis: int) -> int:
        """Attention needs more than a field, or it would pool over the tile for a whole."""
        if self.footprint.pooling_px is None:
            return 0
        return self.footprint.pooling_px[axis] + self.footprint.stride_px[axis]

    def tiles(self, shape: Sequence[int], sides_px: Sequence[int]) -> list[Tile]:
        """Return all tiles of an image, row by row."""
        along = [
            self.spans(axis, n, side)
            for axis, (n, side) in enumerate(zip(shape, sides_px, strict=True))
        ]
        return [Tile(spans) for spans in product(*along)]

    def forced(self, shape: Sequence[int], tile_px: int | Sequence[int]) -> tuple[int, ...]:
        """Return the sides of tiles of a size asked for, evened out over the image.

        Parameters
        ----------
        shape
            Of the image.
        tile_px
            An entry per axis, or one number for y and x; z then stays whole.
        """
        if isinstance(tile_px, int):
            tile_px = (*shape[:-2], tile_px, tile_px)
        if len(tile_px) != len(shape):
            raise InputError(
                f"tile_px is {list(tile_px)}; the image has {len(shape)} axes: give one number, "
                "or one for each"
            )
        return tuple(
            self._even(axis, n, max(1, -(-n // max(stride, side // stride * stride))))
            for axis, (n, side, stride) in enumerate(
                zip(shape, tile_px, self.footprint.stride_px, strict=True)
            )
        )

    def fitting(self, shape: Sequence[int], memory_gb: float) -> tuple[int, ...]:
        """Return the sides of the tiles that restore an image with the least work in a memory.

        The work is what all tiles see, margins and all. An axis that is short beside its margins,
        as z mostly is, thus stays whole for as long as it can.

        Parameters
        ----------
        shape
            Of the image.
        memory_gb
            10^9 bytes, for the network's maps and the tile's own arrays.

        Raises
        ------
        InputError
            Not even the smallest tile fits.
        """
        bytes_per_px = 4.0 * (self.footprint.live_channels + MAPS_OF_A_TILE)
        if bytes_per_px * prod(shape) <= memory_gb * 1e9:
            return tuple(self._even(axis, n, 1) for axis, n in enumerate(shape))
        options = [self._options(axis, n) for axis, n in enumerate(shape)]
        seen = [np.array([largest for _, largest, _ in tried]) for tried in options]
        work = [np.array([total for _, _, total in tried], dtype=float) for tried in options]
        volume = prod(np.ix_(*seen), start=np.float64(1))
        bytes_of = bytes_per_px * volume
        needed = np.where(bytes_of <= memory_gb * 1e9, prod(np.ix_(*work), start=1.0), np.inf)
        # of equal work the largest tile
        best = np.lexsort([-volume.ravel(), needed.ravel()])[0]
        if not np.isfinite(needed.ravel()[best]):
            raise InputError(
                f"memory_gb leaves {memory_gb:.3g} GB for a tile; the smallest that this network "
                f"can be applied to needs {bytes_of.min() / 1e9:.3g} GB: allow more memory"
            )
        chosen = np.unravel_index(best, needed.shape)
        return tuple(tried[i][0] for tried, i in zip(options, chosen, strict=True))

    def work(self, shape: Sequence[int], sides_px: Sequence[int]) -> float:
        """Return how many pixels all tiles of an image see."""
        along = (
            [span.seen.stop - span.seen.start for span in self.spans(axis, n, side)]
            for axis, (n, side) in enumerate(zip(shape, sides_px, strict=True))
        )
        return float(prod(map(sum, along)))

    def _options(self, axis: int, length: int) -> list[tuple[int, int, int]]:
        """Return (side, most that a tile sees, what all see) of some numbers of tiles."""
        most = -(-length // self.footprint.stride_px[axis])
        counts = np.unique(np.geomspace(1, most, CANDIDATES).round().astype(int))
        options = {}
        for count in counts:
            side = self._even(axis, length, int(count))
            spans = self.spans(axis, length, side)
            seen = [span.seen.stop - span.seen.start for span in spans]
            options[side] = (side, max(seen), sum(seen))
        return list(options.values())

    def _even(self, axis: int, length: int, count: int) -> int:
        stride = self.footprint.stride_px[axis]
        return -(-length // (count * stride)) * stride

    def halved(self, sides_px: Sequence[int]) -> tuple[int, ...] | None:
        """Return the sides of smaller tiles, z cut last; None where there are none smaller."""
        strides = self.footprint.stride_px
        half = [
            max(stride, side // 2 // stride * stride)
            for side, stride in zip(sides_px, strides, strict=True)
        ]
        smaller = (*sides_px[:-2], *half[-2:])
        if tuple(smaller) == tuple(sides_px):
            smaller = (*half[:-2], *sides_px[-2:])
        return None if tuple(smaller) == tuple(sides_px) else smaller


def plan_tiling(footprint: Footprint, margin_px: int | None = None) -> Tiling:
    """Return how images are cut for a network.

    Parameters
    ----------
    footprint
        Of the network.
    margin_px
        By default what the network needs; else this on all sides, as a multiple of the stride
        at least as wide.
    """
    wanted = footprint.margin_px if margin_px is None else (margin_px,) * len(footprint.reach_px)
    margins = tuple(
        -(-margin // stride) * stride
        for margin, stride in zip(wanted, footprint.stride_px, strict=True)
    )
    blends = tuple(map(min, footprint.blend_px, margins))
    return Tiling(footprint, margins, blends)


def fit_tiles(
    shape: Sequence[int], footprint: Footprint, memory_gb: float, margin_px: int | None = None
) -> tuple[Tiling, tuple[int, ...]]:
    """Return the tiling of an image, and the sides of its tiles, that a memory allows.

    A tile must be larger than the field of attention. Where the memory does not hold such a
    tile, or only one that is mostly margin, all tiles attend to half the field, and so on: what
    is restored then differs a little, as the log says, but from tile to tile no more than it did.

    Raises
    ------
    InputError
        Not even the smallest tile fits.
    """
    fitting: list[tuple[float, Tiling, tuple[int, ...]]] = []
    refusal: InputError | None = None
    tried: Footprint | None = footprint
    while tried is not None:
        tiling = plan_tiling(tried, margin_px)
        try:
            sides = tiling.fitting(shape, memory_gb)
            fitting.append((tiling.work(shape, sides), tiling, sides))
        except InputError as error:
            refusal = error
        tried = tried.with_smaller_pooling()
    if not fitting:
        raise refusal or ValueError("no tiling was tried")
    least = min(work for work, _, _ in fitting)
    _, tiling, sides = next(entry for entry in fitting if entry[0] <= WORTHWHILE * least)
    if tiling.footprint.pooling_px != footprint.pooling_px:
        logger.info(
            "%.3g GB hold no tiles much larger than the %s px that the network attends to; it "
            "attends to %s px instead",
            memory_gb,
            *(" x ".join(map(str, f.pooling_px or ())) for f in (footprint, tiling.footprint)),
        )
    return tiling, sides
