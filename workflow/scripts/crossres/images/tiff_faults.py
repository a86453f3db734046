"""Faults of TIFF files that tifffile passes over: what is missing is read as zeros."""

import os
import struct
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from crossres.jobs import InputError

MOST_PLANES = 10**7
"""Planes of an image; a description that declares more is wrong."""


def require_complete(path: Path, tiff: tifffile.TiffFile) -> None:
    """Refuse a file with pages or pixels missing.

    Before any pixel is read, and before memory is asked for.

    Raises
    ------
    InputError
        Pages that point in a circle or beyond the file's end, or strips or tiles that are missing,
        empty, too short or beyond the end.
    """
    size = path.stat().st_size
    _follow_pages(path, tiff, size)
    _require_fewer_planes(path, tiff)
    for number, page in enumerate(tiff.pages):
        whole: Any = page.keyframe
        segments = list(zip(page.dataoffsets, page.databytecounts, strict=True))
        if max((offset + count for offset, count in segments), default=0) > size:
            raise truncated(path)
        expected = int(np.prod(whole.chunked, dtype=np.int64))
        held = sum(offset > 0 and count > 0 for offset, count in segments)
        # programs that write by strips may leave one more, empty
        if held < expected:
            raise InputError(
                f"{path}: page {number + 1} lacks {expected - held} of its {expected} strips or "
                "tiles, which would be read as zeros; export it again"
            )
        uncompressed = whole.compression == 1 and whole.bitspersample % 8 == 0
        if uncompressed and sum(count for _, count in segments) < whole.nbytes:
            raise InputError(
                f"{path}: page {number + 1} holds {sum(count for _, count in segments)} of its "
                f"{whole.nbytes} bytes, the rest would be read as zeros; export it again"
            )
    # ImageJ writes stacks above 4 GB as one page followed by raw data; if that is truncated,
    # tifffile repeats the first slice
    stated = (tiff.imagej_metadata or {}).get("images", 1) if tiff.is_imagej else 1
    series = tiff.series[0]
    if np.prod(series.shape, dtype=np.int64) < stated * np.prod(series.keyframe.shape):
        raise truncated(path)


def require_black_is_zero(path: Path, tiff: tifffile.TiffFile) -> None:
    """Refuse gray values that fall with the light; some programs write so what is not inverted."""
    page: Any = tiff.pages.first
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE and page.bitspersample > 1:
        raise InputError(
            f"{path}: is stored as WhiteIsZero, large numbers being dark; expected counts that "
            "grow with the light: save it as BlackIsZero (in ImageJ: Edit > Invert, or Image > "
            "Lookup Tables > Grays), and look whether it is still bright where it should be"
        )


def require_planes(path: Path, tiff: tifffile.TiffFile) -> None:
    """Refuse an image with fewer planes than its description says, which are read as zero."""
    pages = tiff.series[0].pages if tiff.is_ome else []
    missing = sum(page is None for page in pages)
    if missing:
        raise _fewer_planes(path, len(pages), len(pages) - missing)


def truncated(path: Path) -> InputError:
    """Return the sentence for a file that ends too early."""
    return InputError(
        f"{path}: is truncated: it ends after {path.stat().st_size} bytes, before its last image "
        "does; copy it again from the microscope"
    )


def _fewer_planes(path: Path, declared: int, found: int) -> InputError:
    return InputError(
        f"{path}: declares {declared} planes, and {found} are there; copy all files of the image "
        "into its folder, or export what was recorded again"
    )


def _require_fewer_planes(path: Path, tiff: tifffile.TiffFile) -> None:
    """Refuse a description of planes without end: tifffile makes room for each before it looks."""
    if not (tiff.is_ome and tiff.ome_metadata):
        return
    for pixels in ElementTree.fromstring(tiff.ome_metadata).iterfind(".//{*}Pixels"):
        declared = 1
        for axis in "TCZ":
            declared *= max(1, int(pixels.attrib.get(f"Size{axis}", 1)))
        if declared > MOST_PLANES:
            raise _fewer_planes(path, declared, len(tiff.pages))


def _follow_pages(path: Path, tiff: tifffile.TiffFile, size: int) -> None:
    """Follow the offsets from page to page to the end of the chain, which tifffile may never see.

    Raises
    ------
    InputError
        A page is met twice, or lies beyond the end.
    """
    kind, file = tiff.tiff, tiff.filehandle
    offset = tiff.pages.first.offset
    seen: set[int] = set()
    while offset:
        if offset in seen:
            raise InputError(
                f"{path}: its pages point in a circle after {len(seen)} of them; export it again"
            )
        seen.add(offset)
        try:
            file.seek(offset)
            (entries,) = struct.unpack(kind.tagnoformat, file.read(kind.tagnosize))
            file.seek(entries * kind.tagsize, os.SEEK_CUR)
            (offset,) = struct.unpack(kind.offsetformat, file.read(kind.offsetsize))
        except struct.error:
            raise truncated(path) from None
        if offset > size:
            raise truncated(path)
