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
from crossres.images.stored import StoredArray, reserve, slabs
from crossres.jobs import written_aside

GRAY: Any = {"ome": True, "photometric": "minisblack"}
"""tifffile would otherwise decide by the name, which ends in .partial as it is written, and take
images three or four pixels wide for colours."""

UNKNOWN_UUID = str(uuid.UUID(int=0))
"""Placeholder for the UUID, which is computed from the pixels once they are written."""


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
    # tifffile's UUID depends on clock and machine; the same image should give the same bytes
    identity = _uuid_of(hashlib.sha256(image.array.tobytes()))
    metadata = _ome(image.metadata, image.array.shape, identity)
    array = image.array.astype("float32") if image.array.dtype == "float64" else image.array
    with written_aside(path) as aside:
        tifffile.imwrite(aside, array, metadata=metadata, compression="zlib", **GRAY)


@contextmanager
def image_to_fill(
    path: str | Path, shape: Sequence[int], dtype: np.dtype | type | str, metadata: Metadata
) -> Iterator[StoredArray]:
    """Yield the pixels of an OME-TIFF to write by windows, and rename the file at the end.

    For images larger than the memory: uncompressed, and zero where nothing is written. The room
    for them is taken at once.

    Parameters
    ----------
    path
        Where to; folders are made.
    shape, dtype
        Of the pixels.
    metadata
        Their metadata.

    Raises
    ------
    InputError
        The disk has no room for it.
    """
    with written_aside(path) as aside:
        ome = _ome(metadata, shape, UNKNOWN_UUID)
        try:
            mapped = tifffile.memmap(aside, shape=tuple(shape), dtype=dtype, metadata=ome, **GRAY)
            stored = StoredArray(aside, mapped.dtype, mapped.shape, mapped.offset)
            del mapped
            reserve(aside, aside.stat().st_size, name=Path(path))
            yield stored
            _identify(stored)
        except BaseException:
            # it may be as large as the disk
            aside.unlink(missing_ok=True)
            raise


def _ome(metadata: Metadata, shape: Sequence[int], identity: str) -> dict[str, object]:
    """Return the metadata in the form that tifffile writes as OME-XML."""
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
    corner = {}
    if any(metadata.corner_px):
        if metadata.pixel_size_nm is None:
            raise ValueError("an image without a pixel size has no place in a field")
        for axis, place in zip("YX", metadata.corner_px, strict=True):
            corner[f"Position{axis}"] = str(place * metadata.pixel_size_nm / 1e3)
            corner[f"Position{axis}Unit"] = "µm"
    if corner or metadata.planes:
        numbers = [dict(zip(metadata.axes, i, strict=False)) for i in np.ndindex(*shape[:-2])]
        ome["Plane"] = [
            {**corner, **metadata.planes.get((n.get("T", 0), n.get("C", 0), n.get("Z", 0)), {})}
            for n in numbers
        ]
    if metadata.channels or metadata.channel_details:
        count = shape[metadata.axes.index("C")] if "C" in metadata.axes else 1
        names = metadata.channels or ("",) * count
        details = metadata.channel_details or ({},) * count
        ome["Channel"] = [
            {**({"Name": name} if name else {}), **more}
            for name, more in zip(names, details, strict=True)
        ]
    return ome


def _identify(stored: StoredArray) -> None:
    """Replace the placeholder by the UUID computed from the pixels."""
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
