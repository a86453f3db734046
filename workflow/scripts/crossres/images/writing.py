"""Writing OME-TIFF, whole or not at all."""

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from crossres.images.image import Image, Metadata
from crossres.images.stored import StoredArray, slabs
from crossres.jobs import written_aside

GRAY: Any = {"ome": True, "photometric": "minisblack"}
"""tifffile would otherwise decide by the name, which ends in .partial as it is written, and take
images three or four pixels wide for colours."""

UNKNOWN_UUID = str(uuid.UUID(int=0))
"""Stands in a file until its pixels are written, from which its UUID follows."""


def write_image(path: str | Path, image: Image) -> None:
    """Write an image as OME-TIFF with its axes, pixel size, times, channel names and place.

    The file is written aside and renamed, so that a file under its own name is always whole.

    Parameters
    ----------
    path
        Where to; folders are made.
    image
        What; float64 is stored as float32.
    """
    # tifffile would draw one from clock and machine: the same image should give the same bytes
    identity = _uuid_of(hashlib.sha256(image.array.tobytes()))
    metadata = _ome(image.metadata, image.array.shape, identity)
    array = image.array.astype("float32") if image.array.dtype == "float64" else image.array
    with written_aside(path) as aside:
        tifffile.imwrite(aside, array, metadata=metadata, compression="zlib", **GRAY)


@contextmanager
def image_to_fill(
    path: str | Path, shape: Sequence[int], dtype: np.dtype | type | str, metadata: Metadata
) -> Iterator[StoredArray]:
    """Give the pixels of an OME-TIFF to write window by window, and rename it when all is done.

    For images larger than the memory: uncompressed, and zero where nothing is written.

    Parameters
    ----------
    path
        Where to; folders are made.
    shape, dtype
        Of the pixels.
    metadata
        What is to be said of them.
    """
    with written_aside(path) as aside:
        ome = _ome(metadata, shape, UNKNOWN_UUID)
        try:
            mapped = tifffile.memmap(aside, shape=tuple(shape), dtype=dtype, metadata=ome, **GRAY)
            stored = StoredArray(aside, mapped.dtype, mapped.shape, mapped.offset)
            del mapped
            yield stored
            _identify(stored)
        except BaseException:
            # it may be as large as the disk
            aside.unlink(missing_ok=True)
            raise


def _ome(metadata: Metadata, shape: Sequence[int], identity: str) -> dict[str, object]:
    """Return what tifffile writes as OME-XML."""
    ome: dict[str, object] = {"axes": metadata.axes, "UUID": identity}
    if metadata.pixel_size_nm is not None:
        for axis in "XY":
            ome[f"PhysicalSize{axis}"] = metadata.pixel_size_nm / 1e3
            ome[f"PhysicalSize{axis}Unit"] = "µm"
    if metadata.z_step_nm is not None:
        ome["PhysicalSizeZ"] = metadata.z_step_nm / 1e3
        ome["PhysicalSizeZUnit"] = "µm"
    if metadata.frame_interval_s is not None:
        ome["TimeIncrement"] = metadata.frame_interval_s
        ome["TimeIncrementUnit"] = "s"
    if any(metadata.corner_px):
        if metadata.pixel_size_nm is None:
            raise ValueError("an image without a pixel size has no place in a field")
        plane: dict[str, list[object]] = {}
        planes = int(np.prod(shape[:-2], dtype=np.int64))
        for axis, corner in zip("YX", metadata.corner_px, strict=True):
            position_um = corner * metadata.pixel_size_nm / 1e3
            plane[f"Position{axis}"] = [position_um] * planes
            plane[f"Position{axis}Unit"] = ["µm"] * planes
        ome["Plane"] = plane
    if metadata.channels:
        ome["Channel"] = {"Name": list(metadata.channels)}
    return ome


def _identify(stored: StoredArray) -> None:
    """Put the UUID that follows from the pixels in the place held for it."""
    digest = hashlib.sha256()
    for window in slabs(stored.shape):
        digest.update(stored[window].tobytes())
    with tifffile.TiffFile(stored.path) as tiff:
        tag = tiff.pages.first.tags["ImageDescription"]
        start, length = tag.valueoffset, tag.count
    with stored.path.open("r+b") as file:
        file.seek(start)
        description = file.read(length)
        file.seek(start)
        file.write(description.replace(UNKNOWN_UUID.encode(), _uuid_of(digest).encode()))


def _uuid_of(digest: "hashlib._Hash") -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, digest.hexdigest()))
