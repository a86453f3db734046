"""Pixels that stay in a file and are read and written window by window."""

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from crossres.jobs import InputError

Window = tuple[slice, ...]
"""A slice an axis."""


MAPPED_BYTES = 2**24
"""Bytes of a file that are mapped at once."""


NOT_SUPPORTED = (errno.EOPNOTSUPP, errno.EINVAL)
"""Errors of file systems that cannot reserve space."""


class Pixels(Protocol):
    """Anything with a shape that is read and written by windows: an array, or one in a file."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""

    @property
    def dtype(self) -> np.dtype:
        """Type of a pixel."""

    def __getitem__(self, window: Any, /) -> np.ndarray:
        """Return the pixels of a window."""

    def __setitem__(self, window: Any, values: Any, /) -> None:
        """Write the pixels of a window."""


class StoredArray:
    """An uncompressed array in a file; only windows of it are ever in memory.

    The file is mapped only while a window is copied: mapped pages count as memory of the process
    and would grow with the image.

    Parameters
    ----------
    path
        The file.
    dtype, shape
        Type and shape of the array in the file.
    offset
        Offset of its first byte.
    order
        Order in which the file's axes are returned; unchanged by default.
    """

    def __init__(
        self,
        path: str | Path,
        dtype: np.dtype | type | str,
        shape: Sequence[int],
        offset: int = 0,
        order: Sequence[int] | None = None,
    ) -> None:
        self.path = Path(path)
        self.dtype = np.dtype(dtype)
        self._shape = tuple(shape)
        self.offset = offset
        self._order = tuple(order) if order is not None else tuple(range(len(self._shape)))

    @classmethod
    def create(
        cls, path: str | Path, dtype: np.dtype | type | str, shape: Sequence[int]
    ) -> "StoredArray":
        """Make a file of zeros.

        Raises
        ------
        InputError
            The disk is full.
        """
        stored = cls(path, dtype, shape)
        stored.path.touch()
        os.truncate(stored.path, 0)
        reserve(stored.path, stored.nbytes)
        return stored

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return tuple(self._shape[axis] for axis in self._order)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self._shape)

    @property
    def nbytes(self) -> int:
        """Bytes of all pixels."""
        return int(np.prod(self._shape, dtype=np.int64)) * self.dtype.itemsize

    @property
    def end(self) -> int:
        """Where in the file the pixels end, in bytes."""
        return self.offset + self.nbytes

    def __getitem__(self, window: Any) -> np.ndarray:
        """Return a copy of a window, given by slices of step 1 and numbers."""
        spans, numbers = self._spans(window)
        found = np.empty([span.stop - span.start for span in spans], self.dtype)
        for piece in self._pieces(spans):
            found[_within(piece, spans)] = self._mapped("r")[piece]
        return np.asarray(found[numbers])

    def __setitem__(self, window: Any, values: Any) -> None:
        """Write a window, given likewise."""
        spans, numbers = self._spans(window)
        whole = np.empty([span.stop - span.start for span in spans], self.dtype)
        whole[numbers] = values
        for piece in self._pieces(spans):
            self._mapped("r+")[piece] = whole[_within(piece, spans)]

    def _mapped(self, mode: Any) -> np.ndarray:
        mapped = np.memmap(self.path, self.dtype, mode, self.offset, self._shape)
        return mapped.transpose(self._order)

    def _spans(self, window: Any) -> tuple[Window, tuple[Any, ...]]:
        """Return a window with a slice per axis, and the index that drops its numbered axes."""
        given = window if isinstance(window, tuple) else (window,)
        if ... in given:
            at = given.index(...)
            missing = self.ndim - len(given) + 1
            given = (*given[:at], *(slice(None),) * missing, *given[at + 1 :])
        given = (*given, *(slice(None),) * (self.ndim - len(given)))
        spans: list[slice] = []
        numbers: list[Any] = []
        for part, n in zip(given, self.shape, strict=True):
            if isinstance(part, slice):
                start, stop, _ = part.indices(n)
                spans.append(slice(start, max(start, stop)))
                numbers.append(slice(None))
            else:
                place = range(n)[part]
                spans.append(slice(place, place + 1))
                numbers.append(0)
        return tuple(spans), tuple(numbers)

    def _pieces(self, spans: Window) -> Iterator[Window]:
        """Yield parts of a window that lie close together in the file.

        A system maps whole pages, and pages around them: of a window of all slices it would map
        most of the file.
        """
        steps = np.cumprod((self.dtype.itemsize, *self._shape[:0:-1]))[::-1]
        wide = [
            (span.stop - span.start - 1) * int(steps[axis])
            for span, axis in zip(spans, self._order, strict=True)
        ]
        if sum(wide) <= MAPPED_BYTES:
            yield spans
            return
        axis = int(np.argmax(wide))
        middle = (spans[axis].start + spans[axis].stop) // 2
        for start, stop in ((spans[axis].start, middle), (middle, spans[axis].stop)):
            yield from self._pieces((*spans[:axis], slice(start, stop), *spans[axis + 1 :]))


def _within(piece: Window, spans: Window) -> Window:
    return tuple(
        slice(p.start - span.start, p.stop - span.start)
        for p, span in zip(piece, spans, strict=True)
    )


def reserve(path: Path, nbytes: int, name: Path | None = None) -> None:
    """Set a file's size and reserve its space on the disk.

    Writing to a mapped file on a full disk would kill the process.

    Parameters
    ----------
    path
        The file, which keeps what it holds.
    nbytes
        How large it is to be.
    name
        What the file is called in a message.

    Raises
    ------
    InputError
        The disk is full; the file is deleted.
    """
    free = shutil.disk_usage(path.parent).free
    try:
        # a file system may fill up before it refuses a request that is too large
        if nbytes - path.stat().st_blocks * 512 > free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with path.open("r+b") as file:
            file.truncate(nbytes)
            # macOS has no posix_fallocate
            if hasattr(os, "posix_fallocate") and nbytes:
                os.posix_fallocate(file.fileno(), 0, nbytes)
    except OSError as error:
        if error.errno in NOT_SUPPORTED:
            return
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        path.unlink()
        raise InputError(
            f"{name or path}: needs {nbytes / 1e9:.3g} GB, and {free / 1e9:.3g} GB are free in "
            f"{path.parent}; make room there, or use a folder on a larger disk"
        ) from None


def slabs(shape: Sequence[int], slab_px: int = 2**20) -> Iterator[Window]:
    """Yield windows that cover an array once and hold about ``slab_px`` pixels each.

    Whole rows where one fits, so that a file is read in its own order.
    """
    axis = len(shape) - 1
    below = 1
    while axis > 0 and below * shape[axis] <= slab_px:
        below *= shape[axis]
        axis -= 1
    thick = max(1, slab_px // below)
    for index in np.ndindex(*shape[:axis]):
        for start in range(0, shape[axis], thick):
            yield (
                *(slice(i, i + 1) for i in index),
                slice(start, min(start + thick, shape[axis])),
                *(slice(0, n) for n in shape[axis + 1 :]),
            )
