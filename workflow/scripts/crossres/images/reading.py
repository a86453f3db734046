"""Reading image files, with nothing guessed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from crossres.images.described import describe, forget_names, is_composite, other_files
from crossres.images.image import Image, Metadata
from crossres.images.stored import StoredArray
from crossres.images.tiff_faults import (
    require_black_is_zero,
    require_complete,
    require_planes,
    truncated,
)
from crossres.jobs import InputError, logger

UNNAMED_AXES = frozenset("QI")
"""tifffile's names of axes that the file does not specify."""


def read_image(path: str | Path, axes: str | None = None) -> Image:
    """Read an image file with its axes, pixel size, times and channel names.

    The pixel size is taken from OME-XML, from ImageJ's description, or from a TIFF resolution in
    centimetres; a resolution in inches describes a printed page and is ignored.

    Parameters
    ----------
    path
        A TIFF file: OME, ImageJ or plain.
    axes
        Axes of a file that does not name them, such as "TYX"; ignored for files that do.

    Returns
    -------
    Image
        Pixels in their own dtype; ``pixel_size_nm`` is None where the file does not give it.

    Raises
    ------
    InputError
        The file is missing, unreadable, truncated or one of a set that is not complete, or holds
        colour images (RGB), several images, pixels that are not square, or axes that are not of
        T, C, Z, Y, X.
    """
    with _opened(Path(path), axes) as (_, series, order, metadata):
        return Image(series.asarray().transpose(order), **vars(metadata))


def open_image(
    path: str | Path, scratch: Path, axes: str | None = None
) -> tuple[StoredArray, Metadata]:
    """Return the pixels of an image file without reading them, and its metadata.

    Parameters
    ----------
    path, axes
        As of :func:`read_image`.
    scratch
        Folder for the pixels of a file that cannot be read by windows, as it is compressed: they
        are unpacked there, plane by plane.

    Returns
    -------
    pixels : StoredArray
        In the order of the axes.
    metadata : Metadata
        All but the pixels.

    Raises
    ------
    InputError
        As :func:`read_image`.
    """
    with _opened(Path(path), axes) as (tiff, series, order, metadata):
        if series.dataoffset is None or series.is_multifile:
            stored = _unpacked(series, scratch / "unpacked")
        else:
            dtype = np.dtype(tiff.byteorder + series.dtype.char)
            stored = StoredArray(path, dtype, series.shape, series.dataoffset)
            if stored.end > Path(path).stat().st_size:
                raise truncated(Path(path))
        return StoredArray(stored.path, stored.dtype, stored.shape, stored.offset, order), metadata


def files_of_image(path: Path) -> list[Path]:
    """Return all files of an image, this one first: an OME-TIFF may be one of a set.

    For an unreadable file, it is the only one.
    """
    try:
        with tifffile.TiffFile(path) as tiff:
            return [path, *(other_files(path, tiff.ome_metadata or "") if tiff.is_ome else [])]
    # see _opened
    except Exception:
        return [path]


@contextmanager
def _opened(path: Path, stated: str | None) -> Iterator[tuple[Any, Any, list[int], Metadata]]:
    """Open a file; give it, its one series, the order that brings its axes to TCZYX, the rest."""
    if not path.exists():
        raise InputError(f"{path}: there is no such file; correct the path in the sheet")
    try:
        with tifffile.TiffFile(path) as tiff:
            _require_all_files(path, tiff)
            require_complete(path, tiff)
            require_black_is_zero(path, tiff)
            if len(tiff.series) != 1:
                shapes = ", ".join(str(series.shape) for series in tiff.series)
                raise InputError(
                    f"{path}: holds {len(tiff.series)} images ({shapes}); expected one image a "
                    "file: save each on its own"
                )
            series = tiff.series[0]
            if len(series.shape) != len(series.axes):
                raise ValueError(f"axes {series.axes} of shape {series.shape}")
            require_planes(path, tiff)
            axes = _named_axes(path, tiff, stated)
            order = [axes.index(axis) for axis in "TCZYX" if axis in axes]
            found = {"axes": "".join(axes[i] for i in order), **describe(path, tiff)}
            for key, axis in (("z_step_nm", "Z"), ("frame_interval_s", "T")):
                found[key] = found.get(key) if axis in axes else None
            count = series.shape[axes.index("C")] if "C" in axes else 1
            for key in ("channels", "channel_details"):
                if len(found.get(key, ())) != count:
                    found[key] = ()
            yield tiff, series, order, Metadata(**found)
    except InputError:
        raise
    # a damaged file makes tifffile raise nearly anything: KeyError, struct.error, MemoryError ...
    except Exception as error:
        raise InputError(
            f"{path}: cannot be read as a TIFF image ({error}); it may be truncated or of another "
            "format: export it again as TIFF"
        ) from error


def _named_axes(path: Path, tiff: tifffile.TiffFile, stated: str | None) -> str:
    """Return the file's axes, each one of T, C, Z, Y, X, in the file's order."""
    axes, shape = tiff.series[0].axes, tiff.series[0].shape
    if "S" in axes and is_composite(tiff):
        axes = axes.replace("S", "C")
    if "S" in axes:
        raise InputError(
            f"{path}: is a colour image (axes {axes}, {shape}); expected one gray value a "
            "pixel: export the fluorescence channel itself"
        )
    if stated is not None and set(axes) & UNNAMED_AXES:
        agreed = len(stated) == len(axes) and all(
            found in UNNAMED_AXES or found == wanted
            for found, wanted in zip(axes, stated, strict=True)
        )
        if not agreed:
            raise InputError(
                f"{path}: has axes {axes} of shape {shape}, Q and I being unnamed; axes says "
                f"{stated}: correct that"
            )
        axes = stated
    elif stated is not None and len(stated) == len(axes) and stated != axes:
        logger.warning("%s: names its axes %s; axes=%s is not applied", path, axes, stated)
    if not set(axes) <= set("TCZYX") or len(set(axes)) < len(axes):
        raise InputError(
            f"{path}: has axes {axes} of shape {shape}; expected axes of T, C, Z, Y, X: "
            "save it as OME-TIFF or ImageJ TIFF with its axes named; restore_new takes --axes"
        )
    return axes


def _unpacked(series: Any, path: Path) -> StoredArray:
    """Decode a series into a file, a page at a time."""
    pages = [page for page in series.pages if page is not None]
    each = pages[0].shape
    whole = len(pages) * np.prod(each, dtype=np.int64) == np.prod(series.shape, dtype=np.int64)
    if series.transform is not None or not whole:
        stored = StoredArray.create(path, series.dtype, series.shape)
        stored[...] = series.asarray()
        return stored
    by_page = StoredArray.create(path, series.dtype, (len(pages), *each))
    for number, page in enumerate(pages):
        file = page.parent.filehandle
        # tifffile closes all files of a set but the one that was asked for
        was_closed = file.closed
        if was_closed:
            file.open()
        by_page[number] = page.asarray()
        if was_closed:
            file.close()
    return StoredArray(path, series.dtype, series.shape)


def _require_all_files(path: Path, tiff: tifffile.TiffFile) -> None:
    """Refuse a file of a set that is not complete: tifffile reads what is missing as zero."""
    if not tiff.is_ome:
        return
    others = other_files(path, tiff.ome_metadata or "")
    if not others:
        forget_names(tiff)
    missing = [other for other in others if not other.is_file()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise InputError(
            f"{path}: is one of {len(others) + 1} files of an image, and {missing[0].name}{more} "
            f"{'are' if more else 'is'} missing; copy all files of the set into its folder"
        )
